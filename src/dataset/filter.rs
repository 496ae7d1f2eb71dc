//! `[data] filter`: an SQL predicate as a polars expression.
//!
//! Comparisons, AND/OR/NOT, IN, BETWEEN, IS NULL, + − × ÷ and parentheses over columns, numbers, strings and booleans;
//! with SQL's three-valued logic: a row whose predicate is null is left out.

use super::error::DataError;
use polars::prelude::*;
use sqlparser::ast::{BinaryOperator, Expr as Sql, UnaryOperator, Value};
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;

/// The predicate and the columns it reads.
#[derive(Debug)]
pub struct Filter {
    pub predicate: Expr,
    pub columns: Vec<String>,
}

impl Filter {
    pub fn parse(text: &str) -> Result<Self, DataError> {
        let fail = |reason: String| DataError::Filter { filter: text.to_owned(), reason };
        let mut parser =
            Parser::new(&GenericDialect {}).try_with_sql(text).map_err(|error| fail(format!("not SQL: {error}")))?;
        let sql = parser.parse_expr().map_err(|error| fail(format!("not an SQL predicate: {error}")))?;
        let rest = parser.peek_token();
        if rest.token != sqlparser::tokenizer::Token::EOF {
            return Err(fail(format!("did not expect `{rest}` after the predicate")));
        }
        let mut columns = Vec::new();
        let predicate = translate(&sql, &mut columns).map_err(fail)?;
        Ok(Self { predicate, columns })
    }
}

fn translate(sql: &Sql, columns: &mut Vec<String>) -> Result<Expr, String> {
    Ok(match sql {
        Sql::Nested(inner) => translate(inner, columns)?,
        Sql::Identifier(name) => {
            columns.push(name.value.clone());
            col(name.value.as_str())
        }
        Sql::Value(value) => literal(&value.value)?,
        Sql::IsNull(inner) => translate(inner, columns)?.is_null(),
        Sql::IsNotNull(inner) => translate(inner, columns)?.is_not_null(),
        Sql::UnaryOp { op: UnaryOperator::Not, expr } => translate(expr, columns)?.not(),
        Sql::UnaryOp { op: UnaryOperator::Minus, expr } => lit(0) - translate(expr, columns)?,
        Sql::Between { expr, negated, low, high } => {
            let value = translate(expr, columns)?;
            let inside = value.clone().gt_eq(translate(low, columns)?).and(value.lt_eq(translate(high, columns)?));
            if *negated { inside.not() } else { inside }
        }
        Sql::InList { expr, list, negated } => {
            let value = translate(expr, columns)?;
            let mut any = lit(false);
            for item in list {
                any = any.or(value.clone().eq(translate(item, columns)?));
            }
            if *negated { any.not() } else { any }
        }
        Sql::BinaryOp { left, op, right } => binary(translate(left, columns)?, op, translate(right, columns)?)?,
        other => {
            return Err(format!(
                "`{other}` is not available here; use comparisons, AND, OR, NOT, IN, BETWEEN, IS NULL"
            ));
        }
    })
}

fn binary(left: Expr, op: &BinaryOperator, right: Expr) -> Result<Expr, String> {
    Ok(match op {
        BinaryOperator::Eq => left.eq(right),
        BinaryOperator::NotEq => left.neq(right),
        BinaryOperator::Lt => left.lt(right),
        BinaryOperator::LtEq => left.lt_eq(right),
        BinaryOperator::Gt => left.gt(right),
        BinaryOperator::GtEq => left.gt_eq(right),
        BinaryOperator::And => left.and(right),
        BinaryOperator::Or => left.or(right),
        BinaryOperator::Plus => left + right,
        BinaryOperator::Minus => left - right,
        BinaryOperator::Multiply => left * right,
        BinaryOperator::Divide => left / right,
        other => return Err(format!("the operator `{other}` is not available here")),
    })
}

fn literal(value: &Value) -> Result<Expr, String> {
    match value {
        Value::Number(text, _) => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(whole), _) => Ok(lit(whole)),
            (_, Ok(number)) => Ok(lit(number)),
            _ => Err(format!("`{text}` is not a number")),
        },
        Value::SingleQuotedString(text) => Ok(lit(text.clone())),
        Value::DoubleQuotedString(text) => Ok(col(text.as_str())),
        Value::Boolean(flag) => Ok(lit(*flag)),
        other => Err(format!("the value {other} is not available here")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(filter: &str) -> Vec<i64> {
        let frame =
            df!("age" => [Some(17), Some(18), None, Some(40)], "sex" => ["F", "M", "F", "X"], "row" => [0i64, 1, 2, 3]);
        let filter = Filter::parse(filter).unwrap();
        let kept = frame.unwrap().lazy().filter(filter.predicate).collect().unwrap();
        kept.column("row").unwrap().i64().unwrap().into_no_null_iter().collect()
    }

    #[test]
    fn comparisons_leave_out_nulls() {
        assert_eq!(kept("age >= 18"), [1, 3]);
        assert_eq!(kept("NOT age >= 18"), [0]);
    }

    #[test]
    fn logic_lists_and_ranges_hold() {
        assert_eq!(kept("sex IN ('F', 'X') AND (age IS NULL OR age < 18)"), [0, 2]);
        assert_eq!(kept("age BETWEEN 18 AND 40"), [1, 3]);
        assert_eq!(kept("age - 1 = 17 or sex <> 'M' and \"age\" = 40"), [1, 3]);
        assert_eq!(kept("sex NOT IN ('F')"), [1, 3]);
    }

    #[test]
    fn what_is_not_a_predicate_is_refused() {
        for text in ["age >=", "age > 1; drop table x", "count(age) > 1", "age > 1 age"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
