//! What `[importance]` says of dependence curves, against the columns and the model.

use super::error::{PlanError, conflict, did_you_mean};
use crate::config::{Config, Conflict, Grid, ImportanceMethod, Loaded, Scalar};
use crate::dataset::{FeatureSpec, Kind, Source, Want};
use crate::importance::dependence;
use crate::model::Native;

/// # Errors
/// Points or pairs of columns that do not feed the model, points that are no values of their column, pairs that no asked
/// method draws, thresholds of a model without trees.
pub(super) fn check(
    loaded: &Loaded,
    source: &Source,
    features: &[FeatureSpec],
    native: Option<&Native>,
) -> Result<(), PlanError> {
    let config = &loaded.config;
    let mut conflicts = Vec::new();
    match &config.importance.grid {
        Some(Grid::Given(given)) => {
            for (column, values) in given {
                let key = format!("importance.grid.{column}");
                match find(features, column, "points are given for", &key) {
                    Err(unknown) => conflicts.push(unknown),
                    Ok(feature) => conflicts.extend(given_grid(config, source, feature, values).err().map(|why| {
                        conflict(key, why, "give values that the column can have, or leave its points to be chosen")
                    })),
                }
            }
        }
        Some(Grid::Thresholds) if native.and_then(Native::forest).is_none() => {
            let message = "grid = \"thresholds\" asks for the thresholds of trees, and none can be read from the model";
            conflicts.push(conflict("importance.grid", message, "give a number of points instead"));
        }
        _ => {}
    }
    conflicts.extend(pairs(loaded, source, features));
    match conflicts.is_empty() {
        true => Ok(()),
        false => Err(PlanError::Config(Box::new(loaded.errors(conflicts)))),
    }
}

fn pairs(loaded: &Loaded, source: &Source, features: &[FeatureSpec]) -> Vec<Conflict> {
    let (config, mut conflicts) = (&loaded.config, Vec::new());
    let asked = |method| config.importance.methods.iter().flatten().any(|asked| *asked == method);
    if !config.importance.pairs.is_empty() && !asked(ImportanceMethod::Pdp) && !asked(ImportanceMethod::Ale) {
        let message = "pairs of columns are drawn by \"pdp\" and \"ale\", and [importance] methods names neither";
        conflicts.push(conflict("importance.pairs", message, "add one of them to methods, or leave the pairs out"));
    }
    for (at, pair) in config.importance.pairs.iter().enumerate() {
        let key = format!("importance.pairs.{at}");
        let found: Vec<_> = pair.iter().map(|column| find(features, column, "a pair names", &key)).collect();
        if let [Ok(a), Ok(b)] = found.as_slice() {
            let categories = [a, b].map(|feature| is_category(config, source, feature));
            let (message, help) = match categories {
                _ if a.column == b.column => ("a column has no joint curve with itself", "name two different columns"),
                _ if [a, b].iter().any(|it| matches!(it.want, Want::Tensor { .. })) => {
                    ("a picture has no curve", "name two columns of numbers or categories")
                }
                [true, true] if asked(ImportanceMethod::Ale) => (
                    "accumulated local effects of a pair need a column of numbers: categories have no differences",
                    "pair each with a column of numbers, or draw \"pdp\" alone",
                ),
                _ => continue,
            };
            conflicts.push(conflict(key, message, help));
        } else {
            conflicts.extend(found.into_iter().filter_map(Result::err));
        }
    }
    conflicts
}

fn find<'a>(features: &'a [FeatureSpec], column: &str, what: &str, key: &str) -> Result<&'a FeatureSpec, Conflict> {
    let known = || features.iter().map(|feature| feature.column.as_str());
    features.iter().find(|feature| feature.column == column).ok_or_else(|| {
        let message = format!("{what} `{column}`, which does not feed the model{}", did_you_mean(column, known()));
        conflict(key, message, format!("its columns are {}", known().collect::<Vec<_>>().join(", ")))
    })
}

/// The points that are given for a column; `Err` says which of them it cannot have.
pub(super) fn given_grid(
    config: &Config,
    source: &Source,
    feature: &FeatureSpec,
    values: &[Scalar],
) -> Result<dependence::Grid, String> {
    let column = &feature.column;
    if matches!(feature.want, Want::Tensor { .. }) {
        return Err(format!("`{column}` is a picture, which has no curve"));
    }
    if feature.want == Want::Text {
        return Ok(dependence::Grid::texts(values.iter().map(ToString::to_string)));
    }
    let number = |value: &Scalar| {
        let code = feature.encode.as_ref().and_then(|codes| codes.get(&value.to_string()).copied());
        let number = code.or(match value {
            Scalar::Boolean(value) => Some(f64::from(u8::from(*value))),
            Scalar::Integer(value) => Some(*value as f64),
            Scalar::Float(value) => Some(*value),
            Scalar::Text(_) => None,
        });
        let what = if feature.encode.is_some() { "one of its encoded categories" } else { "a number" };
        number.filter(|number| number.is_finite()).ok_or_else(|| format!("`{value}` is not {what} (`{column}`)"))
    };
    let numbers = values.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    if numbers.is_empty() {
        return Err(format!("no point is given for `{column}`"));
    }
    Ok(match is_category(config, source, feature) {
        true => dependence::Grid::codes(&numbers, &config.data.categories(column)),
        false => dependence::Grid::given(&numbers),
    })
}

/// Whether a column's values are categories: texts, booleans, or numbers that are codes without an order.
pub(super) fn is_category(config: &Config, source: &Source, feature: &FeatureSpec) -> bool {
    let boolean = source.field(&feature.column).is_some_and(|field| field.kind == Kind::Boolean);
    boolean || config.data.is_code(&feature.column) || feature.want == Want::Text
}
