//! `arcflux sim`

use crate::cli::args::{ServeArgs, SimCommand, SpecArgs};
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, block_on, connect, spec_file};
use crate::sim::{self, Scenario, Simulator};

pub(in crate::cli) fn run(command: &SimCommand, session: &Session) -> Result<Exit, CliError> {
    match command {
        SimCommand::Serve(args) => serve(args, session),
        SimCommand::Scenarios => {
            for scenario in Scenario::ALL {
                session.console.print(&format!("{:<26} {}\n", scenario.name(), scenario.description()));
            }
            Ok(Exit::Ok)
        }
    }
}

fn serve(args: &ServeArgs, session: &Session) -> Result<Exit, CliError> {
    if !args.listen.ip().is_loopback() {
        return Err(CliError::usage("the simulator listens on loopback only: it asks nobody who they are"));
    }
    let seeds = match &args.seed {
        None => Vec::new(),
        Some(file) => {
            let spec = SpecArgs { file: file.clone(), allow_env: Vec::new() };
            connect::seeds(&spec_file::require(&spec, session)?.0)
        }
    };
    let settings = sim::Settings {
        seeds,
        scenario: args.sim_scenario,
        repositories: connect::local(&args.repositories),
        ..sim::Settings::default()
    };
    let simulator = match &args.sim_state {
        None => Simulator::in_memory(settings),
        Some(path) => {
            Simulator::open(path, settings).map_err(|error| CliError::because("cannot start the simulator", &error))?
        }
    };
    block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .map_err(|error| CliError::because(format!("cannot listen on {}", args.listen), &error))?;
        let address = listener.local_addr().map_err(|error| CliError::because("cannot listen", &error))?;
        session.console.print(&format!("http://{address}\n"));
        session.console.tell("Serving Azure Resource Manager, simulated. Ctrl-C ends it.");
        let until_interrupted = async {
            let _unavailable = tokio::signal::ctrl_c().await;
        };
        simulator
            .serve(listener, args.speed, until_interrupted)
            .await
            .map_err(|error| CliError::because("the simulator", &error))?;
        Ok(Exit::Ok)
    })
}
