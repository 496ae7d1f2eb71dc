//! A progress bar on a terminal: stage, rows, rows and evaluations of the model a second. Elsewhere nothing.

use super::style;
use crate::model::asked;
use crate::pipeline::Progress;
use indicatif::style::ProgressTracker;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::time::{Duration, Instant};

pub(super) struct Bar(ProgressBar);

/// The bar moves at least so often: stages between rows can be long.
const TICK: Duration = Duration::from_millis(250);

impl Bar {
    pub fn new(name: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.set_prefix(name.to_owned());
        Self(bar)
    }
}

impl Progress for Bar {
    fn rows_expected(&self, n_rows: u64) {
        let style = "{prefix} {msg:<12} {bar:30} {human_pos}/{human_len} rows {per_sec}  {asked}";
        let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.0.set_style(style.with_key("asked", Asked::default()));
        self.0.set_length(n_rows);
        if !self.0.is_hidden() {
            self.0.enable_steady_tick(TICK);
        }
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

/// "1,204,224 evaluations, 310,400/s": of the model, the pace over the last second.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// When the pace was last taken, and the count then.
    last: Option<(Instant, u64)>,
    pace: f64,
}

impl ProgressTracker for Asked {
    fn clone_box(&self) -> Box<dyn ProgressTracker> {
        Box::new(self.clone())
    }

    fn tick(&mut self, _: &ProgressState, now: Instant) {
        self.look(asked::so_far(), now);
    }

    fn reset(&mut self, _: &ProgressState, _: Instant) {
        *self = Self::default();
    }

    fn write(&self, _: &ProgressState, out: &mut dyn Write) {
        if let Some((_, count)) = self.last {
            // A bar that cannot be written to is not worth an error.
            let _ = write!(out, "{} evaluations, {}/s", style::thousands(count), style::thousands(self.pace as u64));
        }
    }
}

impl Asked {
    fn look(&mut self, count: u64, now: Instant) {
        match self.last {
            Some((then, _)) if now.duration_since(then) < Duration::from_secs(1) => {}
            Some((then, before)) => {
                self.pace = (count - before) as f64 / now.duration_since(then).as_secs_f64();
                self.last = Some((now, count));
            }
            None => self.last = Some((now, count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_that_of_the_last_second() {
        let start = Instant::now();
        let mut asked = Asked::default();
        asked.look(100, start);
        asked.look(150, start + Duration::from_millis(500));
        assert_eq!(asked.pace, 0.0);
        asked.look(1_100, start + Duration::from_secs(2));
        assert_eq!(asked.pace, 500.0);
        asked.look(1_200, start + Duration::from_secs(3));
        assert_eq!(asked.pace, 100.0);
    }
}
