//! The command line of Sluicegate.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run() {
        Ok(exit) => exit.into(),
        Err(error) => {
            cli::complain(&format!("{error:#}"));
            cli::Exit::of(&error).into()
        }
    }
}
