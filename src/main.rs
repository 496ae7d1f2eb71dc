//! Parses the command line, runs the verb, exits with its code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match probity::cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers on stdout; anything else is a command line that is not acceptable.
            error.print().ok();
            return if error.use_stderr() { probity::ExitStatus::Unacceptable.into() } else { ExitCode::SUCCESS };
        }
    };
    probity::cli::run(cli).into()
}
