//! A measured value, or why there is none.

use crate::stats::Interval;
use crate::stats::intervals::Proportion;
use std::fmt;

/// Why a value is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    NoRows,
    NoLabels,
    NoPositiveLabels,
    NoNegativeLabels,
    NoPositiveDecisions,
    NoNegativeDecisions,
    NeitherPositiveLabelsNorDecisions,
    OneClass,
    NoFalsePositives,
    NoSpread,
    ZeroMeanScore,
    ZeroDenominator,
    NotPositive,
    OutsideSupport,
    TooFewGroups,
    SomeClass,
    NoInformativeStratum,
    OneInformativeStratum,
    ZeroBenefit,
    NoScoreSpread,
}

/// Whose value is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Group,
    Reference,
    Comparison,
}

/// An undefined value: the cause and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undefined {
    pub cause: Cause,
    pub whose: Whose,
}

impl Undefined {
    pub fn in_group(cause: Cause) -> Self {
        Self { cause, whose: Whose::Group }
    }

    pub fn comparing(cause: Cause) -> Self {
        Self { cause, whose: Whose::Comparison }
    }

    pub fn in_reference(self) -> Self {
        Self { whose: Whose::Reference, ..self }
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cause = match self.cause {
            Cause::NoRows => "no rows",
            Cause::NoLabels => "no labelled rows",
            Cause::NoPositiveLabels => "no positive labels",
            Cause::NoNegativeLabels => "no negative labels",
            Cause::NoPositiveDecisions => "no labelled positive decisions",
            Cause::NoNegativeDecisions => "no labelled negative decisions",
            Cause::NeitherPositiveLabelsNorDecisions => "neither positive labels nor positive decisions",
            Cause::OneClass => "labels of one class only",
            Cause::NoFalsePositives => "no false decisions for the favourable class",
            Cause::NoSpread => "no spread of the labels",
            Cause::ZeroMeanScore => "a mean score of 0",
            Cause::ZeroDenominator => "a denominator of 0",
            Cause::NotPositive => "values that are not all positive",
            Cause::OutsideSupport => "an outcome that occurs in one group only",
            Cause::TooFewGroups => "fewer than two groups where the metric is defined",
            Cause::SomeClass => "a class for which it is undefined",
            Cause::NoInformativeStratum => "no stratum in which both groups and both outcomes occur",
            Cause::OneInformativeStratum => "fewer than two strata in which both groups and both outcomes occur",
            Cause::ZeroBenefit => "a row whose benefit is 0",
            Cause::NoScoreSpread => "no spread within the groups",
        };
        match self.whose {
            Whose::Group => write!(f, "{cause} in the group"),
            Whose::Reference => write!(f, "{cause} in the reference group"),
            Whose::Comparison => write!(f, "{cause}"),
        }
    }
}

/// How the uncertainty of a value is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Basis {
    /// A binomial proportion.
    Proportion(Proportion),
    /// An average with a standard error.
    Mean { std_err: f64 },
    /// Bootstrap replicates only.
    Replicates,
}

/// A value with its interval, or why it is undefined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: Result<f64, Undefined>,
    pub interval: Option<Interval>,
    pub p_value: Option<f64>,
    /// Rows in the metric's own denominator.
    pub denominator: u64,
    pub basis: Basis,
}

impl Estimate {
    /// Without an interval yet.
    pub fn new(value: Result<f64, Undefined>, denominator: u64) -> Self {
        Self { value, interval: None, p_value: None, denominator, basis: Basis::Replicates }
    }

    pub fn undefined(cause: Undefined, denominator: u64) -> Self {
        Self::new(Err(cause), denominator)
    }

    /// Standard error of an average.
    pub fn std_err(&self) -> Option<f64> {
        match self.basis {
            Basis::Mean { std_err } => Some(std_err),
            _ => None,
        }
    }
}
