//! `arcflux sim`

use crate::cli::args::{ServeArgs, SimCommand, SpecArgs};
use crate::cli::error::CliError;
use crate::cli::{Exit, Session, block_on, connect, spec_file};
use crate::http::{Clock as _, SystemClock};
use crate::sim::{self, Certificate, Scenario, Serving, Simulator, TrafficLog};

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
    if args.tls.is_some() && !Certificate::is_for(args.listen.ip()) {
        return Err(CliError::usage(
            "with --tls the simulator listens on 127.0.0.1 or [::1]: its certificate is for these",
        ));
    }
    let seeds = match &args.seed {
        None => Vec::new(),
        Some(file) => {
            let spec = SpecArgs { file: Some(file.clone()), allow_env: Vec::new() };
            connect::seeds(&spec_file::require(&spec, session)?.0)
        }
    };
    let settings = sim::Settings {
        seeds,
        scenario: args.sim_scenario,
        repositories: connect::local(&args.repositories)?,
        offers: args.offers.iter().cloned().collect(),
        // Its clients look at their own clocks: one that lags behind would seem to have been silent since.
        start: SystemClock.now(),
        ..sim::Settings::default()
    };
    let simulator = match &args.sim_state {
        None => Simulator::in_memory(settings),
        Some(path) => {
            Simulator::open(path, settings).map_err(|error| CliError::because("cannot start the simulator", &error))?
        }
    };
    let serving = serving(args)?;
    let scheme = if serving.certificate.is_some() { "https" } else { "http" };
    block_on(async {
        let listener = tokio::net::TcpListener::bind(args.listen)
            .await
            .map_err(|error| CliError::because(format!("cannot listen on {}", args.listen), &error))?;
        let address = listener.local_addr().map_err(|error| CliError::because("cannot listen", &error))?;
        session.console.print(&format!("{scheme}://{address}\n"));
        session.console.tell("Serving Azure Resource Manager, simulated. Ctrl-C ends it.");
        if let Some(certificate) = &serving.certificate {
            session.console.tell(&format!("Clients have to trust {}.", certificate.authority().display()));
        }
        let until_interrupted = async {
            let _unavailable = tokio::signal::ctrl_c().await;
        };
        simulator
            .serve(listener, serving, until_interrupted)
            .await
            .map_err(|error| CliError::because("the simulator", &error))?;
        Ok(Exit::Ok)
    })
}

fn serving(args: &ServeArgs) -> Result<Serving, CliError> {
    let certificate = args.tls.as_deref().map(|directory| {
        Certificate::in_directory(directory, SystemClock.now())
            .map_err(|error| CliError::because("cannot set up TLS", &error))
    });
    let log = args.log.as_deref().map(|path| {
        TrafficLog::open(path).map_err(|error| CliError::because(format!("cannot write {}", path.display()), &error))
    });
    Ok(Serving { speed: args.speed, certificate: certificate.transpose()?, log: log.transpose()? })
}
