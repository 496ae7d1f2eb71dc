//! The real binary in temporary folders: what it reads, writes, says and exits with.

mod attack;
mod bad_input;
mod curves;
mod custody;
mod determinism;
mod docs_sql;
mod documents;
mod drift;
mod explaining;
mod fairness;
mod formats;
mod goldens;
mod history;
mod init;
mod layers;
mod networks;
mod nightly;
mod nights;
mod notify;
mod pipelines;
mod privacy;
mod project;
mod robustness;
mod site;
mod surrogates;
