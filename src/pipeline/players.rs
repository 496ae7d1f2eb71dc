//! Values of a batch by player, as people read them.

use crate::config::Config;
use crate::dataset::{Column, FeatureSpec, Features, Field, Kind, Source, Tally, Want};
use crate::explain::game::{Part, Players};
use crate::store::{FeatureValues, number_text};
use std::sync::Arc;

/// Names of players, and of the categories behind codes.
pub struct PlayerValues {
    pub names: Vec<String>,
    /// Raw columns of each player.
    columns: Vec<Vec<usize>>,
    /// Per raw column: category names by code, where it was encoded.
    levels: Vec<Vec<String>>,
    /// Per raw column: its values are not to be stored or shown.
    dropped: Vec<bool>,
}

/// Stands for a value that is not to be shown.
const DROPPED: &str = "(dropped)";

/// Values of one player in a batch: borrowed columns, or joined texts for a group of columns.
pub enum Values<'a> {
    /// Not to be stored or shown.
    Dropped {
        n_rows: usize,
    },
    Column(&'a Column, &'a [String]),
    Joined(Vec<Option<Arc<str>>>),
}

impl PlayerValues {
    pub fn new(config: &Config, features: &[FeatureSpec], players: &Players) -> Self {
        let columns = players.iter().map(|player| {
            player.parts.iter().map(|part| match part {
                Part::Column(column) | Part::Cells { column, .. } => *column,
            })
        });
        let levels = features.iter().map(|feature| config.data.categories(&feature.column));
        Self {
            names: players.iter().map(|player| player.name.clone()).collect(),
            columns: columns.map(Iterator::collect).collect(),
            levels: levels.collect(),
            dropped: features.iter().map(|feature| is_dropped(config, &feature.column)).collect(),
        }
    }

    pub fn of<'a>(&'a self, features: &'a Features) -> Vec<Values<'a>> {
        let one = |columns: &Vec<usize>| match columns.as_slice() {
            [column] if self.dropped[*column] => Values::Dropped { n_rows: features.n_rows },
            [column] => Values::Column(&features.columns[*column], &self.levels[*column]),
            columns => Values::Joined((0..features.n_rows).map(|row| self.joined(features, columns, row)).collect()),
        };
        self.columns.iter().map(one).collect()
    }

    /// Blanks the terms `[row][player]` ("age > 48") that would tell values of dropped columns.
    pub fn hide(&self, terms: &mut [Vec<String>]) {
        let tells = |columns: &Vec<usize>| columns.iter().any(|column| self.dropped[*column]);
        for (player, _) in self.columns.iter().enumerate().filter(|(_, columns)| tells(columns)) {
            terms.iter_mut().for_each(|row| DROPPED.clone_into(&mut row[player]));
        }
    }

    fn joined(&self, features: &Features, columns: &[usize], row: usize) -> Option<Arc<str>> {
        let text = |column: &usize| match self.dropped[*column] {
            true => Some(DROPPED.to_owned()),
            false => text(&features.columns[*column], &self.levels[*column], row),
        };
        let texts: Vec<String> = columns.iter().map(|column| text(column).unwrap_or_else(|| "—".to_owned())).collect();
        Some(Arc::from(texts.join(", ")))
    }
}

impl<'a> Values<'a> {
    pub fn stored(&'a self) -> FeatureValues<'a> {
        match self {
            Values::Column(Column::Number(codes), levels) if !levels.is_empty() => {
                FeatureValues::Levels { codes, levels }
            }
            Values::Column(column, _) => FeatureValues::from(*column),
            Values::Joined(texts) => FeatureValues::Texts(texts),
            Values::Dropped { n_rows } => FeatureValues::Unreadable { n_rows: *n_rows },
        }
    }

    /// A row's value for a reader; missing is "(missing)".
    pub fn text(&self, row: usize) -> String {
        let known = match self {
            Values::Column(column, levels) => text(column, levels, row),
            Values::Joined(texts) => texts[row].as_deref().map(str::to_owned),
            Values::Dropped { .. } => Some(DROPPED.to_owned()),
        };
        known.unwrap_or_else(|| "(missing)".to_owned())
    }

    /// A row's value where it is a number (codes for categories).
    pub fn number(&self, row: usize) -> Option<f64> {
        match self {
            Values::Column(Column::Number(values), _) => Some(values[row]).filter(|value| value.is_finite()),
            _ => None,
        }
    }
}

fn text(column: &Column, levels: &[String], row: usize) -> Option<String> {
    match column {
        Column::Number(values) if values[row].is_nan() => None,
        Column::Number(values) => match levels.get(values[row] as usize) {
            Some(level) if values[row].fract() == 0.0 => Some(level.clone()),
            _ => Some(number_text(values[row])),
        },
        Column::Text(values) => values[row].as_deref().map(str::to_owned),
        Column::Tensor { .. } => Some("(picture)".to_owned()),
    }
}

/// Whether `[privacy]` keeps a column's values out of everything stored.
pub fn is_dropped(config: &Config, column: &str) -> bool {
    config.privacy.as_ref().is_some_and(|privacy| privacy.drop.iter().any(|dropped| dropped == column))
}

/// The raw columns as the report lists them.
pub fn described(
    config: &Config,
    source: &Source,
    features: &[FeatureSpec],
    tally: &Tally,
) -> Vec<crate::audit::Feature> {
    let kind = |spec: &FeatureSpec, field: Option<&Field>| match (&spec.want, field.map(|field| field.kind)) {
        (Want::Tensor { .. }, _) => "image",
        (Want::Text, _) => "category",
        _ if config.data.is_code(&spec.column) => "category",
        (_, Some(Kind::Boolean)) => "boolean",
        (_, Some(Kind::Date)) => "date",
        _ => "number",
    };
    let one = |(at, spec): (usize, &FeatureSpec)| crate::audit::Feature {
        name: spec.column.clone(),
        kind: kind(spec, source.field(&spec.column)).to_owned(),
        n_missing: Some(tally.missing.get(at).copied().unwrap_or(0)),
        levels: match is_dropped(config, &spec.column) {
            true => Vec::new(),
            false => config.data.categories(&spec.column),
        },
    };
    features.iter().enumerate().map(one).collect()
}
