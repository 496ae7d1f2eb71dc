//! The report's sections, in its order: each turns the part of the audit it is about into words, tables and charts,
//! and is absent where the audit has nothing for it.

pub mod agreement;
pub mod cases;
pub mod comparisons;
pub mod confusion;
pub mod crosses;
pub mod curves;
pub mod dependence;
pub mod drift;
pub mod drivers;
pub mod effects;
pub mod fairness;
mod feature_maps;
pub mod gaps;
mod group_features;
pub mod history;
pub mod impact;
pub mod interactions;
pub mod layers;
pub mod nights;
pub mod nights_told;
pub mod opinions;
mod overlaid;
pub mod performance;
pub mod pictures;
pub mod provenance;
pub mod proxies;
pub mod reasons;
pub mod robustness;
pub mod scope;
pub mod simplicity;
pub mod structure;
pub mod surfaces;
pub mod thresholds;
pub mod verdict;
pub mod widest;
pub mod withheld;
