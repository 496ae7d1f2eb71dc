//! How joins are computed, by what is joined.
//!
//! DataFusion hands the keys of a join's smaller side to the scan of the larger one while both run. From a catalogue
//! table these name runs, and files of others are never opened. From a row-level table they name people who are
//! mostly on both sides: every row is then looked up twice, in the scan and in the join.

use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::DataFrame;

use crate::store::rows;

/// The same statement; where row-level tables are joined with each other, their keys stay with the join.
pub(super) fn suited(frame: DataFrame) -> Result<DataFrame> {
    if row_level_scans(frame.logical_plan())? < 2 {
        return Ok(frame);
    }
    let (mut state, plan) = frame.into_parts();
    state.config_mut().options_mut().optimizer.enable_join_dynamic_filter_pushdown = false;
    Ok(DataFrame::new(state, plan))
}

fn row_level_scans(plan: &LogicalPlan) -> Result<usize> {
    let mut n = 0;
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            n += usize::from(rows::TABLES.contains(&scan.table_name.table()));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(n)
}
