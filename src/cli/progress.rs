//! A progress bar on a terminal: stage, rows, rows a second. Elsewhere nothing.

use crate::pipeline::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(super) struct Bar(ProgressBar);

impl Bar {
    pub fn new(name: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_prefix(name.to_owned());
        Self(bar)
    }
}

impl Progress for Bar {
    fn rows_expected(&self, n_rows: u64) {
        let style = "{prefix} {msg:<12} {bar:30} {human_pos}/{human_len} rows {per_sec}";
        self.0.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        self.0.set_length(n_rows);
    }

    fn rows_done(&self, n_rows: u64) {
        self.0.set_position(n_rows);
    }

    fn stage(&self, name: &'static str) {
        self.0.set_message(name);
        self.0.tick();
    }

    fn finished(&self) {
        self.0.finish_and_clear();
    }
}
