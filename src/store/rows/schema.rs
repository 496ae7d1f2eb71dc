//! Columns of the row-level tables, as readers see them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};

/// Version of the row-level files' layout, written into each.
pub const ROWS_SCHEMA_VERSION: u32 = 1;

pub(in crate::store) const PREDICTIONS: &str = "predictions";
pub(in crate::store) const EXPLANATIONS: &str = "explanations";
pub(in crate::store) const INTERACTIONS: &str = "interactions";
pub(in crate::store) const LOCAL_FITS: &str = "local_fits";
pub(in crate::store) const ATTRIBUTION_MAPS: &str = "attribution_maps";
pub(in crate::store) const DISTRIBUTIONS: &str = "distributions";
pub(in crate::store) const LAYER_UNITS: &str = "layer_units";
pub(in crate::store) const MEAN_MAPS: &str = "mean_maps";

/// Every row-level table.
pub(in crate::store) const TABLES: [&str; 8] =
    [PREDICTIONS, EXPLANATIONS, INTERACTIONS, LOCAL_FITS, ATTRIBUTION_MAPS, DISTRIBUTIONS, LAYER_UNITS, MEAN_MAPS];

/// Type of `row_id`: as in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum IdType {
    Int64,
    String,
}

/// Type of `label`: class names, or values for regression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum LabelType {
    Double,
    String,
}

impl IdType {
    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::Int64 => "int64",
            Self::String => "string",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Int64 => DataType::Int64,
            Self::String => DataType::Utf8,
        }
    }
}

impl LabelType {
    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::Double => "double",
            Self::String => "string",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Self::Double => DataType::Float64,
            Self::String => DataType::Utf8,
        }
    }
}

/// Columns of a row-level table in order, `None` for a name that is none. `label` matters to `predictions` only.
pub(in crate::store) fn columns(table: &str, id: IdType, label: LabelType) -> Option<Schema> {
    match table {
        DISTRIBUTIONS => return Some(Schema::new(distributions())),
        LAYER_UNITS => return Some(Schema::new(layer_units())),
        MEAN_MAPS => return Some(Schema::new(mean_maps())),
        _ => {}
    }
    let mut fields = vec![required("row_id", id.data_type()), required("output", DataType::Utf8)];
    fields.extend(match table {
        "predictions" => vec![
            required("score", DataType::Float64),
            optional("margin", DataType::Float64),
            optional("predicted", DataType::Boolean),
            optional("label", label.data_type()),
            optional("weight", DataType::Float64),
            optional("additivity_gap", DataType::Float64),
        ],
        "explanations" => vec![
            required("method", DataType::Utf8),
            required("feature", DataType::Utf8),
            optional("feature_value", DataType::Utf8),
            optional("term", DataType::Utf8),
            required("attribution", DataType::Float64),
            required("base_value", DataType::Float64),
            optional("std_err", DataType::Float64),
        ],
        "interactions" => vec![
            required("feature_a", DataType::Utf8),
            required("feature_b", DataType::Utf8),
            required("value", DataType::Float64),
        ],
        "local_fits" => vec![
            required("method", DataType::Utf8),
            required("intercept", DataType::Float64),
            required("local_prediction", DataType::Float64),
            optional("r2", DataType::Float64),
            optional("stability", DataType::Float64),
        ],
        "attribution_maps" => vec![
            required("method", DataType::Utf8),
            required("height", DataType::Int32),
            required("width", DataType::Int32),
            required("values", map_of_numbers()),
        ],
        _ => return None,
    });
    Some(Schema::new(fields))
}

/// Cells of values: no rows of the data, so no `row_id`.
fn distributions() -> Vec<Field> {
    vec![
        required("subject", DataType::Utf8),
        required("feature", DataType::Utf8),
        required("coarseness", DataType::Int32),
        required("kind", DataType::Utf8),
        required("bin", DataType::Int32),
        optional("value", DataType::Float64),
        optional("category", DataType::Utf8),
        required("n", DataType::Int64),
        required("weight", DataType::Float64),
    ]
}

/// Channels and neurons: no rows of the data either.
fn layer_units() -> Vec<Field> {
    vec![
        required("layer", DataType::Utf8),
        required("unit", DataType::Int64),
        required("n", DataType::Int64),
        optional("mean", DataType::Float64),
        optional("std", DataType::Float64),
        optional("zero_fraction", DataType::Float64),
        optional("minimum", DataType::Float64),
        optional("maximum", DataType::Float64),
        optional("is_dead", DataType::Boolean),
    ]
}

/// Means over explained pictures: of many rows, or of few.
fn mean_maps() -> Vec<Field> {
    vec![
        required("attribute", DataType::Utf8),
        required("group_value", DataType::Utf8),
        required("n", DataType::Int64),
        required("height", DataType::Int32),
        required("width", DataType::Int32),
        required("step", DataType::Int32),
        required("values", map_of_numbers()),
    ]
}

fn map_of_numbers() -> DataType {
    DataType::List(Arc::new(required("item", DataType::Float32)))
}

/// The same columns with text as dictionaries, which is how chunks hand it to the Parquet writer. Files do not carry
/// this: readers see plain text.
pub(super) fn as_written(columns: &Schema) -> Schema {
    let written = columns.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => field.as_ref().clone().with_data_type(text_dictionary()),
        _ => field.as_ref().clone(),
    });
    Schema::new(written.collect::<Vec<_>>())
}

pub(super) fn text_dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}
