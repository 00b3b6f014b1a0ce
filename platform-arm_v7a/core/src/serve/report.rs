//! REPORT: what the first component tells of the run.

use base::session::{parent::Event, report::Report};

use super::Call;

impl Report for Call<'_> {
    fn event(&mut self, component: &str, event: Event) {
        self.outside.judge.event(component, event);
    }

    fn ended(&mut self) {
        self.outside.judge.all_ended();
    }

    fn failed(&mut self, reason: &str) {
        self.outside.judge.fail(reason);
    }
}
