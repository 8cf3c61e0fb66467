//! The `arcflux` binary: everything it does is in the library.

use std::process::ExitCode;

use arcflux::cli::{self, Environment};

fn main() -> ExitCode {
    cli::run(std::env::args_os(), Environment::of_process()).into()
}
