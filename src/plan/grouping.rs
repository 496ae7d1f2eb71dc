//! Which columns make groups, and what is measured between them.

use super::error::{PlanError, conflict};
use super::missing;
use crate::config::{Attribute, Fairness, Loaded, MetricsChoice};
use crate::dataset::{GroupColumn, Kind, Source};
use crate::fairness::AttributeSpec;
use std::collections::BTreeMap;

/// Group columns as read, and attributes over them.
#[derive(Debug, Clone, Default)]
pub struct GroupPlan {
    pub columns: Vec<GroupColumn>,
    pub attributes: Vec<AttributeSpec>,
    pub reference: BTreeMap<String, String>,
    /// Positions in `columns` within whose levels everything is measured once more.
    pub strata: Vec<usize>,
    pub metrics: Option<Vec<String>>,
    pub bootstrap: usize,
    pub confidence: f64,
    pub min_group_rows: u64,
    /// Accuracy that the threshold of the smallest difference may cost.
    pub accuracy_loss: f64,
}

pub fn resolve(loaded: &Loaded, source: &Source) -> Result<GroupPlan, PlanError> {
    let Some(fairness) = &loaded.config.fairness else {
        return Ok(GroupPlan { confidence: 0.95, bootstrap: 1000, min_group_rows: 30, ..Default::default() });
    };
    let mut conflicts = Vec::new();
    for (at, attribute) in fairness.attributes.iter().enumerate() {
        let key = format!("fairness.attributes.{at}");
        let columns = match attribute {
            Attribute::Column(column) => vec![column],
            Attribute::Intersection(columns) => columns.iter().collect(),
            Attribute::Binned(binned) => {
                let field = source.field(&binned.column);
                if field.is_some_and(|field| !matches!(field.kind, Kind::Integer | Kind::Float | Kind::Date)) {
                    let message = format!("column `{}` cannot be binned: it does not hold numbers", binned.column);
                    conflicts.push(conflict(&key, message, "name the column alone to group by its values"));
                }
                vec![&binned.column]
            }
        };
        conflicts.extend(columns.into_iter().filter_map(|column| missing(source, &key, column)));
    }
    conflicts.extend(fairness.strata.iter().filter_map(|column| missing(source, "fairness.strata", column)));
    match conflicts.is_empty() {
        true => Ok(plan(fairness)),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

fn plan(fairness: &Fairness) -> GroupPlan {
    let mut columns: Vec<GroupColumn> = Vec::new();
    let mut position = |column: GroupColumn| {
        columns.iter().position(|known| *known == column).unwrap_or_else(|| {
            columns.push(column);
            columns.len() - 1
        })
    };
    let plain = |column: &String| GroupColumn { column: column.clone(), bins: None };
    let mut attributes = Vec::new();
    for attribute in &fairness.attributes {
        let positions = match attribute {
            Attribute::Column(column) => vec![position(plain(column))],
            Attribute::Intersection(names) => names.iter().map(|name| position(plain(name))).collect(),
            Attribute::Binned(binned) => {
                vec![position(GroupColumn { column: binned.column.clone(), bins: Some(binned.bins.clone()) })]
            }
        };
        attributes.push(AttributeSpec { name: attribute.name(), columns: positions });
    }
    let strata = fairness.strata.iter().map(|column| position(plain(column))).collect();
    GroupPlan {
        columns,
        attributes,
        reference: fairness.reference.iter().map(|(attribute, group)| (attribute.clone(), group.to_string())).collect(),
        strata,
        metrics: match &fairness.metrics {
            MetricsChoice::All => None,
            MetricsChoice::Named(names) => Some(names.clone()),
        },
        bootstrap: fairness.bootstrap as usize,
        confidence: fairness.confidence,
        min_group_rows: fairness.min_group_rows,
        accuracy_loss: fairness.accuracy_loss,
    }
}
