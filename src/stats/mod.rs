//! Statistics that merge: what every other room counts with.
//!
//! Data arrives in batches and may be split over threads, so each statistic is an [`Accumulator`]: partials of any
//! split of the rows merge to the same digits as one pass. That is possible because nothing here depends on the order
//! of additions: counts are integers, sums are exact ([`ExactSum`]), quantiles and score distributions are functions
//! of the multiset of values alone, and everything random is a pure function of (seed, stream, index) ([`random`]).
//!
//! From accumulated counts: ranking measures ([`ranking`]), intervals ([`intervals`]), tests ([`hypothesis`],
//! [`stratified`]) and the bootstrap ([`bootstrap`]), none of which sees a row again. [`groups`] says which rows belong to which group.

pub mod association;
pub mod auc_interval;
pub mod bootstrap;
pub mod cholesky;
pub mod distribution;
pub mod exact_sum;
pub mod groups;
pub mod hypothesis;
pub mod intervals;
pub mod moments;
pub mod quantiles;
pub mod random;
pub mod ranking;
pub mod score_gap;
pub mod stratified;

pub use auc_interval::auc_interval;
pub use distribution::ScoreDistribution;
pub use exact_sum::ExactSum;
pub use groups::{Cells, Group, GroupLevels};
pub use intervals::Interval;
pub use moments::Moments;
pub use quantiles::Quantiles;
pub use ranking::Ranking;

/// Pieces of a statistic.
///
/// Laws: the empty value is the identity of `merge`, and splitting the input and merging the parts, in any order,
/// changes nothing, not even the last bit.
pub trait Accumulator {
    type Item<'a>;
    type Output;
    /// Takes one item in.
    fn update(&mut self, item: Self::Item<'_>);
    /// Takes in everything `other` has seen.
    fn merge(&mut self, other: Self);
    /// The statistic of everything seen so far.
    fn finish(&self) -> Self::Output;
}
