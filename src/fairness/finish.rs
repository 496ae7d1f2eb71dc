//! From accumulated cells to the audit's rows, for each task.

use super::accumulator::{Body, ClassOutput, FairnessAccumulator, ValueOutput};
use super::across::{Extremes, Spread, extremes, mean, worse};
use super::adjusted::adjust;
use super::cell::ClassCell;
use super::clarify::clarify;
use super::classes::over_classes;
use super::compare::{Comparer, is_aif360_rate, on_favourable};
use super::conditional::Conditional;
use super::confusion::Outcomes;
use super::curves;
use super::differential::{self, differential_fairness};
use super::emit::{Emitter, group_counts};
use super::group_table::{ClassSlots, GroupTable, class_table};
use super::inequality::{between_groups, within_groups};
use super::layout::{Layout, Scope};
use super::regression::value_table;
use super::table::{self, View};
use super::{FairnessError, FairnessResult, Spec};
use super::{score_gaps, screens, sweep};
use crate::audit::Metric;
use crate::stats::{Accumulator, GroupLevels};
use std::collections::{BTreeMap, BTreeSet};

/// Output name of a regression.
const VALUE: &str = "value";

/// What the steps below share.
struct Audit<'a> {
    spec: &'a Spec,
    layout: &'a Layout,
    wanted: Option<BTreeSet<String>>,
}

impl FairnessAccumulator {
    /// Measures everything accumulated. `levels` name the codes that the rows carried.
    pub fn finish(&self, levels: &GroupLevels) -> Result<FairnessResult, FairnessError> {
        let wanted = wanted(&self.spec)?;
        let ordered = self.in_name_order(levels)?;
        let layout = Layout::new(&self.spec, &ordered.groups, levels, &ordered.rows_by_cell())?;
        let audit = Audit { spec: &self.spec, layout: &layout, wanted };
        let mut result = match &ordered.body {
            Body::Binary(output) => audit.binary(output),
            Body::Multiclass { classes, top } => audit.multiclass(classes, top),
            Body::Regression(output) => audit.regression(output),
        };
        adjust(&mut result.metrics);
        result.attributes = layout.attributes.clone();
        Ok(result)
    }

    /// The same rows with cells in an order that depends on their names alone.
    fn in_name_order(&self, levels: &GroupLevels) -> Result<Self, FairnessError> {
        let mut ordered = Self::new(&self.spec);
        ordered.groups = self.groups.in_name_order(levels)?;
        ordered.merge(self.clone())?;
        Ok(ordered)
    }

    fn rows_by_cell(&self) -> Vec<u64> {
        let classes = |cells: &[ClassCell]| cells.iter().map(|c| c.evidence().rows(Outcomes::ALL)).collect();
        match &self.body {
            Body::Binary(output) => classes(&output.cells),
            Body::Multiclass { top, .. } => classes(&top.cells),
            Body::Regression(output) => output.cells.iter().map(|cell| cell.all.rows).collect(),
        }
    }
}

/// The metrics asked for, checked against the task's.
fn wanted(spec: &Spec) -> Result<Option<BTreeSet<String>>, FairnessError> {
    let Some(names) = &spec.metrics else { return Ok(None) };
    let known: BTreeSet<String> = table::names(spec.task).into_iter().collect();
    match names.iter().find(|name| !known.contains(*name)) {
        Some(name) => Err(FairnessError::UnknownMetric {
            name: name.clone(),
            task: spec.task.name(),
            close: table::close_names(spec.task, name),
        }),
        None => Ok(Some(names.iter().cloned().collect())),
    }
}

impl Audit<'_> {
    fn binary(&self, output: &ClassOutput) -> FairnessResult {
        let name = self.spec.outputs.get(self.spec.positive_output).map_or("1", String::as_str);
        let slots = ClassSlots::new(output, self.layout, self.spec.favourable_is_positive);
        let table = class_table(output, &slots, self.layout, View::Binary, self.spec, name);
        let mut curves = curves::class_curves(self.layout, &slots, self.spec, name);
        curves.extend(sweep::threshold_sweep(self.layout, &slots, self.spec, name));
        FairnessResult {
            metrics: self.report(&table, View::Binary, name),
            group_counts: group_counts(self.layout, &table.facts, name),
            curves,
            attributes: Vec::new(),
        }
    }

    fn multiclass(&self, classes: &[ClassOutput], top: &ClassOutput) -> FairnessResult {
        let slots = ClassSlots::new(top, self.layout, true);
        let table = class_table(top, &slots, self.layout, View::TopLabel, self.spec, "");
        let mut result = FairnessResult { metrics: self.report(&table, View::TopLabel, ""), ..Default::default() };
        let mut by_class = Vec::new();
        for (class, name) in classes.iter().zip(&self.spec.outputs) {
            let slots = ClassSlots::new(class, self.layout, true);
            let table = class_table(class, &slots, self.layout, View::OneVsRest, self.spec, name);
            by_class.extend(self.report(&table, View::OneVsRest, name));
            result.group_counts.extend(group_counts(self.layout, &table.facts, name));
            result.curves.extend(curves::class_curves(self.layout, &slots, self.spec, name));
        }
        result.metrics.extend(over_classes(&by_class, self.wants("balanced_accuracy")));
        result.metrics.extend(by_class);
        result
    }

    fn regression(&self, output: &ValueOutput) -> FairnessResult {
        let table = value_table(output, self.layout, self.spec);
        let masses = output.scores.finish();
        let ends = masses.first().zip(masses.last()).map_or((0.0, 0.0), |(low, high)| (low.score, high.score));
        FairnessResult {
            metrics: self.report(&table, View::Regression, VALUE),
            group_counts: group_counts(self.layout, &table.facts, VALUE),
            curves: curves::histograms(self.layout, &masses, ends.0, ends.1, VALUE),
            attributes: Vec::new(),
        }
    }

    fn wants(&self, name: &str) -> bool {
        self.wanted.as_ref().is_none_or(|wanted| wanted.contains(name))
    }

    /// All rows of one output.
    fn report(&self, table: &GroupTable, view: View, output: &str) -> Vec<Metric> {
        let mut emitter = Emitter::new(self.layout, table, output, self.spec.confidence, self.wanted.as_ref());
        let comparer = Comparer::new(table, self.spec.confidence);
        self.by_group(&mut emitter, table);
        for scope in &self.layout.scopes {
            self.against_best(&mut emitter, &comparer, scope);
            self.against_reference(&mut emitter, &comparer, scope, view);
            screens::emit(&mut emitter, &comparer, scope);
            if view != View::TopLabel {
                score_gaps::emit(&mut emitter, &comparer, scope, table.index("base_rate").is_some());
            }
            let favourable = self.spec.favourable_is_positive;
            if let Some(conditional) = Conditional::new(&comparer, self.layout, scope, favourable) {
                conditional.emit(&mut emitter);
            }
            self.across(&mut emitter, &comparer, scope);
            self.inequality(&mut emitter, &comparer, scope);
        }
        emitter.metrics
    }

    fn by_group(&self, emitter: &mut Emitter<'_>, table: &GroupTable) {
        let others: BTreeSet<usize> = self.layout.scopes.iter().map(|scope| scope.others).collect();
        for slot in (0..self.layout.slots.len()).filter(|slot| !others.contains(slot)) {
            for (definition, estimates) in table.measures.iter().zip(&table.estimates) {
                emitter.slot(definition.name, slot, &estimates[slot]);
            }
        }
    }

    fn against_best(&self, emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope) {
        let rates = [("impact_ratio", "favourable_rate"), ("scoring_impact_ratio", "scoring_rate")];
        for (name, measure) in rates {
            let Some(m) = comparer.table.index(measure) else { continue };
            let value = |slot: &usize| comparer.estimate(m, *slot).value.unwrap_or(f64::NEG_INFINITY);
            let known = self.layout.known(scope);
            // The first of equals.
            let best = known.fold(None, |best: Option<usize>, slot| match best {
                Some(best) if value(&best) >= value(&slot) => Some(best),
                _ => Some(slot),
            });
            for &slot in &scope.groups {
                if let Some(best) = best {
                    let mut ratio = comparer.ratio(m, slot, best);
                    if slot == best {
                        (ratio.interval, ratio.p_value) = (None, None);
                    }
                    emitter.against(name, slot, best, &ratio);
                    if name == "impact_ratio" && slot != best {
                        let more = screens::with_two_more(comparer, m, slot, best);
                        emitter.against("impact_ratio_with_two_more", slot, best, &more);
                    }
                }
            }
        }
    }

    fn against_reference(&self, emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope, view: View) {
        let others = scope.groups.iter().copied().filter(|&slot| slot != scope.reference).chain([scope.others]);
        for slot in others {
            self.differences(emitter, comparer, slot, scope.reference);
            if view == View::Binary {
                self.aif360(emitter, comparer, slot, scope.reference);
            }
        }
        if view == View::Binary {
            let metrics = clarify(comparer, scope.others, scope.reference, self.spec.favourable_is_positive);
            for (name, estimate) in metrics {
                emitter.against(name, scope.others, scope.reference, &estimate);
            }
        }
    }

    /// METRIC_difference and METRIC_ratio of every compared measure.
    fn differences(&self, emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, slot: usize, reference: usize) {
        for definition in comparer.table.measures.iter().filter(|definition| definition.compared) {
            let favourable = self.spec.favourable_is_positive || !is_aif360_rate(definition.measure, definition.name);
            let Some(m) = comparer.table.index(on_favourable(definition.name, favourable)) else { continue };
            let (difference, ratio) = (format!("{}_difference", definition.name), format!("{}_ratio", definition.name));
            if emitter.wants(&difference) {
                emitter.against(&difference, slot, reference, &comparer.difference(m, slot, reference));
            }
            if emitter.wants(&ratio) {
                emitter.against(&ratio, slot, reference, &comparer.ratio(m, slot, reference));
            }
        }
    }

    fn aif360(&self, emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, slot: usize, reference: usize) {
        let index = |name| comparer.table.index(on_favourable(name, self.spec.favourable_is_positive));
        if let Some(rate) = index("favourable_rate") {
            let parity = comparer.difference(rate, slot, reference);
            emitter.against("statistical_parity_difference", slot, reference, &parity);
            emitter.against("disparate_impact", slot, reference, &comparer.ratio(rate, slot, reference));
        }
        let (Some(tpr), Some(fpr)) = (index("true_positive_rate"), index("false_positive_rate")) else { return };
        let opportunity = comparer.difference(tpr, slot, reference);
        emitter.against("equal_opportunity_difference", slot, reference, &opportunity);
        let odds = [(fpr, slot), (tpr, slot), (fpr, reference), (tpr, reference)];
        let mut combined = |name, parts, f: fn([f64; 4]) -> f64| {
            emitter.against(name, slot, reference, &comparer.combine(parts, reference, |values| Ok(f(values))));
        };
        combined("average_odds_difference", odds, |[f, t, f_ref, t_ref]| (f - f_ref + (t - t_ref)) / 2.0);
        combined("average_abs_odds_difference", odds, |[f, t, f_ref, t_ref]| {
            ((f - f_ref).abs() + (t - t_ref).abs()) / 2.0
        });
        if let (Some(ppv), Some(omission)) = (index("precision"), index("false_omission_rate")) {
            let parts = [(ppv, slot), (omission, slot), (ppv, reference), (omission, reference)];
            combined("average_predictive_value_difference", parts, |[p, o, p_ref, o_ref]| {
                (p - p_ref + (o - o_ref)) / 2.0
            });
        }
    }

    fn across(&self, emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope) {
        let known: Vec<usize> = self.layout.known(scope).collect();
        let mut by_name: BTreeMap<&str, Extremes> = BTreeMap::new();
        for (m, definition) in comparer.table.measures.iter().enumerate().filter(|(_, d)| d.compared) {
            let extremes = extremes(comparer, m, &known);
            emit_spread(emitter, &format!("{}_difference", definition.name), scope, &extremes.difference);
            emit_spread(emitter, &format!("{}_ratio", definition.name), scope, &extremes.ratio);
            by_name.insert(definition.name, extremes);
        }
        fairlearn(emitter, comparer, scope, &by_name);
        for (name, measure) in differential::measures(self.spec.favourable_is_positive) {
            let Some(m) = comparer.table.index(measure).filter(|_| comparer.table.index("favourable_rate").is_some())
            else {
                continue;
            };
            let facts = &comparer.table.facts;
            let labelled = comparer.table.measures[m].needs_labels;
            let weight = |slot: usize| if labelled { facts[slot].labelled } else { facts[slot].weight };
            emit_spread(emitter, name, scope, &differential_fairness(comparer, m, &known, weight));
        }
    }

    fn inequality(&self, emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope) {
        let Some(benefit) = comparer.table.index("mean_benefit") else { return };
        let known: Vec<usize> = self.layout.known(scope).collect();
        let labelled = |&slot: &usize| comparer.table.facts[slot].labelled;
        let weights: Vec<f64> = known.iter().map(labelled).collect();
        let between = between_groups(comparer, benefit, &known, &weights);
        let pair = [scope.others, scope.reference];
        let two = between_groups(comparer, benefit, &pair, &pair.each_ref().map(labelled));
        let names = ["generalized_entropy_index", "theil_index", "coefficient_of_variation"];
        let all = [between.entropy, between.theil, between.coefficient_of_variation];
        for (name, (all, two)) in
            names.iter().zip(all.iter().zip([two.entropy, two.theil, two.coefficient_of_variation]))
        {
            let name = format!("between_group_{name}");
            emitter.across(&name, scope, all, None);
            emitter.against(&name, scope.others, scope.reference, &two);
        }
        for (name, power) in [("generalized_entropy_index", 2), ("theil_index", 1)] {
            let Some(index) = comparer.table.index(name) else { continue };
            let within = within_groups(comparer, [benefit, index], power, &known, &weights);
            emitter.across(&format!("within_group_{name}"), scope, &within, None);
        }
    }
}

fn emit_spread(emitter: &mut Emitter<'_>, name: &str, scope: &Scope, spread: &Spread) {
    emitter.across(name, scope, &spread.estimate, spread.pair);
}

/// fairlearn's named disparities.
fn fairlearn(emitter: &mut Emitter<'_>, comparer: &Comparer<'_>, scope: &Scope, by_name: &BTreeMap<&str, Extremes>) {
    let mut named = |name: &str, of: &str| {
        if let Some(extremes) = by_name.get(of) {
            emit_spread(emitter, &format!("{name}_difference"), scope, &extremes.difference);
            emit_spread(emitter, &format!("{name}_ratio"), scope, &extremes.ratio);
        }
    };
    named("demographic_parity", "selection_rate");
    named("equal_opportunity", "true_positive_rate");
    let (Some(tpr), Some(fpr)) = (by_name.get("true_positive_rate"), by_name.get("false_positive_rate")) else {
        return;
    };
    let (a, b) = (&tpr.difference, &fpr.difference);
    emit_spread(emitter, "equalized_odds_difference", scope, &worse(comparer, a, b, f64::max));
    emit_spread(emitter, "equalized_odds_difference_mean", scope, &mean(comparer, a, b));
    let (a, b) = (&tpr.ratio, &fpr.ratio);
    emit_spread(emitter, "equalized_odds_ratio", scope, &worse(comparer, a, b, f64::min));
    emit_spread(emitter, "equalized_odds_ratio_mean", scope, &mean(comparer, a, b));
}
