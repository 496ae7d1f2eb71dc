//! Nightly audits of machine-learning models from one TOML file.
//!
//! Data flows one way:
//!
//! ```text
//! config → plan → batches → scores, attributions, partials → audit → store → report
//! ```
//!
//! | room | what it is | foreign crates at home there |
//! |---|---|---|
//! | [`cli`] | clap types, one file per verb; the only printing | clap, console, indicatif, signal-hook, tracing-subscriber |
//! | [`config`] | the TOML as typed | toml, schemars, miette |
//! | [`plan`] | what will be done: everything resolved against data and model | |
//! | [`dataset`] | files → ordered batches | polars, sqlparser, glob |
//! | [`draft`] | a first pipeline from what a model and its data say | |
//! | [`model`] | ONNX files: reading, importing structure, scoring | ort, prost |
//! | [`forest`] | tree ensembles in one form; knows no ONNX | |
//! | [`explain`] | attributions: trees, linear models, games | |
//! | [`importance`] | permutation importance | |
//! | [`layers`] | what a network computes inside: activations by group, linear probes | |
//! | [`robustness`] | attacks along gradients: which decisions small changes turn | |
//! | [`stats`] | partial statistics that merge, intervals, tests | statrs |
//! | [`drift`] | how far a run has moved from an earlier one | |
//! | [`fairness`] | the table of metrics, comparisons, gates | |
//! | [`audit`] | everything a run found out, as one value | base64 |
//! | [`privacy`] | what of an audit may be published: small cells withheld | |
//! | [`pipeline`] | the only orchestration | |
//! | [`store`] | Parquet files, the catalogue, SQL over history | arrow, parquet, sqlx, datafusion, sha2 |
//! | [`report`] | audit → view → HTML | minijinja, pulldown-cmark |
//! | [`pdf`] | a page as PDF, printed by an installed Chromium | |
//! | [`site`] | static pages over all runs | |
//! | [`notify`] | who is told about an outcome | reqwest |

pub mod audit;
pub mod cli;
pub mod config;
pub mod dataset;
pub mod draft;
pub mod drift;
pub mod explain;
pub mod fairness;
pub mod forest;
pub mod importance;
pub mod layers;
pub mod model;
pub mod notify;
pub mod pdf;
pub mod pipeline;
pub mod plan;
pub mod privacy;
pub mod report;
pub mod robustness;
pub mod site;
pub mod stats;
pub mod store;

mod exit_status;
mod whole_file;
pub use exit_status::ExitStatus;
