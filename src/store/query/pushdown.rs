//! Filters that SQLite can apply itself: comparisons of a column with constants, and their combinations.
//!
//! What is translated means the same in both languages; DataFusion still checks every row, so leaving a filter out
//! only costs time.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};

/// A condition in SQLite's words, with what its question marks stand for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Condition {
    pub sql: String,
    pub values: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i64),
    Real(f64),
}

/// The filter as a condition on columns of `schema`, `None` where it says more than SQLite is asked to understand.
pub(super) fn condition(filter: &Expr, schema: &Schema) -> Option<Condition> {
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => joined(left, "AND", right, schema),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => joined(left, "OR", right, schema),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            compared(left, *op, right, schema).or_else(|| compared(right, op.swap()?, left, schema))
        }
        Expr::InList(list) => listed(list, schema),
        Expr::IsNull(inner) => Some(Condition { sql: format!("{} IS NULL", column(inner, schema)?.0), values: vec![] }),
        Expr::IsNotNull(inner) => {
            Some(Condition { sql: format!("{} IS NOT NULL", column(inner, schema)?.0), values: vec![] })
        }
        _ => None,
    }
}

fn joined(left: &Expr, word: &str, right: &Expr, schema: &Schema) -> Option<Condition> {
    let (left, right) = (condition(left, schema)?, condition(right, schema)?);
    let sql = format!("({} {word} {})", left.sql, right.sql);
    Some(Condition { sql, values: left.values.into_iter().chain(right.values).collect() })
}

fn compared(left: &Expr, op: Operator, right: &Expr, schema: &Schema) -> Option<Condition> {
    let (name, data_type) = column(left, schema)?;
    let sign = match op {
        Operator::Eq => "=",
        Operator::NotEq => "<>",
        Operator::Lt => "<",
        Operator::LtEq => "<=",
        Operator::Gt => ">",
        Operator::GtEq => ">=",
        _ => return None,
    };
    let value = constant(right, data_type)?;
    Some(Condition { sql: format!("{name} {sign} ?"), values: vec![value] })
}

fn listed(list: &InList, schema: &Schema) -> Option<Condition> {
    let (name, data_type) = column(&list.expr, schema)?;
    let values = list.list.iter().map(|value| constant(value, data_type)).collect::<Option<Vec<_>>>()?;
    let (not, marks) = (if list.negated { "NOT " } else { "" }, vec!["?"; values.len()].join(", "));
    Some(Condition { sql: format!("{name} {not}IN ({marks})"), values })
}

/// A column of ours, quoted, with its type.
fn column<'a>(expr: &Expr, schema: &'a Schema) -> Option<(String, &'a DataType)> {
    let Expr::Column(column) = expr else { return None };
    let field = schema.field_with_name(&column.name).ok()?;
    Some((quoted(field.name()), field.data_type()))
}

/// A constant of the column's own type: SQLite and DataFusion convert others differently.
fn constant(expr: &Expr, data_type: &DataType) -> Option<Value> {
    let Expr::Literal(value, _) = expr else { return None };
    match (data_type, value) {
        (
            DataType::Utf8,
            ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) | ScalarValue::LargeUtf8(Some(text)),
        ) => Some(Value::Text(text.clone())),
        (DataType::Int64, ScalarValue::Int64(Some(number))) => Some(Value::Integer(*number)),
        (DataType::Float64, ScalarValue::Float64(Some(number))) if !number.is_nan() => Some(Value::Real(*number)),
        _ => None,
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::Field;
    use datafusion::prelude::{col, lit};

    fn schema() -> Schema {
        Schema::new(vec![
            Field::new("run_id", DataType::Utf8, false),
            Field::new("limit", DataType::Float64, true),
            Field::new("n", DataType::Int64, true),
        ])
    }

    fn translated(filter: Expr) -> Option<(String, Vec<Value>)> {
        condition(&filter, &schema()).map(|condition| (condition.sql, condition.values))
    }

    #[test]
    fn comparisons_with_constants_are_translated() {
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(translated(col("run_id").eq(lit("a'b"))), Some(("\"run_id\" = ?".into(), vec![text("a'b")])));
        assert_eq!(translated(lit(3i64).lt(col("n"))), Some(("\"n\" > ?".into(), vec![Value::Integer(3)])));
        let both = col("limit").gt_eq(lit(0.5)).or(col("n").is_null()).and(col("run_id").not_eq(lit("x")));
        let sql = "((\"limit\" >= ? OR \"n\" IS NULL) AND \"run_id\" <> ?)";
        assert_eq!(translated(both), Some((sql.into(), vec![Value::Real(0.5), text("x")])));
        let list = col("run_id").in_list(vec![lit("a"), lit("b")], true);
        assert_eq!(translated(list), Some(("\"run_id\" NOT IN (?, ?)".into(), vec![text("a"), text("b")])));
    }

    #[test]
    fn what_could_mean_something_else_is_left_to_the_engine() {
        for filter in [
            col("run_id").eq(lit(1i64)),
            col("n").eq(lit(1.5)),
            col("limit").eq(lit(f64::NAN)),
            col("limit").eq(lit(1i64)),
            col("unknown").eq(lit("a")),
            col("run_id").like(lit("a%")),
            col("run_id").eq(col("run_id")),
            col("n").eq(lit(1i64)).or(col("run_id").like(lit("a%"))),
        ] {
            assert_eq!(translated(filter.clone()), None, "{filter}");
        }
    }
}
