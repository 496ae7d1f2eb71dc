//! Values for the `$name` places of a statement: bound to the plan, never pasted into the text.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::DataFrame;

use super::QueryError;

/// A value as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Without the `$`.
    pub name: String,
    pub value: String,
}

impl Parameter {
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Gives every place of the statement its value, in the type of what it is compared with.
pub(super) fn bind(frame: DataFrame, given: &[Parameter]) -> Result<DataFrame, QueryError> {
    let places = places(frame.logical_plan())?;
    let names: BTreeSet<&str> = places.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(unknown) = given.iter().find(|parameter| !names.contains(parameter.name.as_str())) {
        let known =
            if names.is_empty() { "none".to_string() } else { names.into_iter().collect::<Vec<_>>().join(", ") };
        return Err(parameter(&unknown.name, &format!("the statement has no such place; it has {known}")));
    }
    let mut values = Vec::new();
    for (name, data_type) in places {
        let Some(given) = given.iter().find(|parameter| parameter.name == name) else {
            let flag = if name == "pipeline" { "--pipeline NAME".into() } else { format!("--param {name}=…") };
            return Err(parameter(&name, &format!("it needs a value: {flag}")));
        };
        values.push((name, typed(given, data_type.as_ref())?));
    }
    if values.is_empty() {
        return Ok(frame);
    }
    frame.with_param_values(ParamValues::from(values)).map_err(QueryError::Failed)
}

/// Names without the `$`, in order, with the type that the planner expects.
fn places(plan: &LogicalPlan) -> Result<Vec<(String, Option<DataType>)>, QueryError> {
    let types = plan.get_parameter_types().map_err(QueryError::Failed)?;
    let mut places: Vec<_> =
        types.into_iter().map(|(name, found)| (name.trim_start_matches('$').to_string(), found)).collect();
    places.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(places)
}

fn typed(given: &Parameter, expected: Option<&DataType>) -> Result<ScalarValue, QueryError> {
    let text = ScalarValue::Utf8(Some(given.value.clone()));
    let Some(expected) = expected.filter(|expected| **expected != DataType::Null) else { return Ok(text) };
    let value = text.cast_to(expected).ok().filter(|value| !value.is_null());
    value.ok_or_else(|| {
        let kind = if expected.is_numeric() { "a number" } else { "a value of another type" };
        parameter(&given.name, &format!("`{}` is compared with {kind}", given.value))
    })
}

fn parameter(name: &str, reason: &str) -> QueryError {
    QueryError::Parameter { name: name.to_string(), reason: reason.to_string() }
}
