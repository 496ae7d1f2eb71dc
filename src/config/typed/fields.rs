//! `[report.fields]`: what documents ask for and no computation knows, as free text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! fields {
    ($($(#[$doc:meta])+ $name:ident,)+) => {
        /// Free texts for the documents; each stands in those that ask for it, and is "not provided" where it is missing.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, default)]
        pub struct Fields {
            $($(#[$doc])+ #[serde(skip_serializing_if = "Option::is_none")] pub $name: Option<String>,)+
        }

        impl Fields {
            /// Every field's name with its text.
            pub fn all(&self) -> Vec<(&'static str, Option<&str>)> {
                vec![$((stringify!($name), self.$name.as_deref()),)+]
            }
        }
    };
}

fields! {
    /// What the model is for, and the decisions that it serves.
    intended_use,
    /// Uses that it is not made for.
    out_of_scope_use,
    /// Who works with its results.
    users,
    /// Whom its results are about.
    affected_persons,
    /// Known limitations.
    limitations,
    /// What must hold for the results to mean what they say.
    assumptions,
    /// Ethical considerations and how they were met.
    ethical_considerations,
    /// What was given up for what.
    tradeoffs,
    /// How people watch over the model and can overrule it.
    human_oversight,
    /// What the model was trained on.
    training_data,
    /// Where the audited data come from, and how they were gathered and labelled.
    data_source,
    /// Whether the audited data are historical or test data, and why those.
    data_explanation,
    /// When the tool was first used or distributed.
    distribution_date,
    /// The tool's name as its users know it.
    tool_name,
    /// Who made this audit.
    auditor,
    /// Provider or vendor of the model.
    provider,
    /// Whom to ask.
    contact,
    /// Licence of the model.
    licence,
    /// Publications and documents about the model.
    references,
    /// The model's number in the inventory.
    model_id,
    /// Tier or materiality of the model's risk.
    risk_tier,
    /// Who developed the model.
    developer,
    /// Who reviewed it independently.
    reviewer,
    /// Who approved it, and when.
    approval,
    /// When it is reviewed next.
    next_review,
    /// What changed since the version before.
    change_log,
    /// What is done when a limit is breached.
    escalation,
    /// Controls that make up for limitations.
    compensating_controls,
    /// How the model interacts with hardware and software around it.
    interaction,
    /// Forms in which it is put into service.
    forms,
    /// Hardware that it runs on.
    hardware,
    /// Instructions for those who use it.
    instructions,
    /// Methods and steps of development.
    development,
    /// Design choices, their reasons and what is optimised.
    design_choices,
    /// The system's architecture.
    architecture,
    /// Changes that were determined beforehand.
    predetermined_changes,
    /// How it was validated and tested, by whom, with dates and signatures.
    validation,
    /// Measures of cybersecurity.
    cybersecurity,
    /// How it is monitored and controlled in use.
    monitoring,
    /// Why these metrics of performance fit.
    metrics_rationale,
    /// The system of risk management.
    risk_management,
    /// Harmonised standards and other specifications that were applied.
    standards,
    /// The EU declaration of conformity.
    declaration,
    /// The plan for monitoring after placing on the market.
    post_market_plan,
}
