//! CENSUS.

use base::session::census::{Census, Counts, LoseError, Sums};

use super::Call;

impl Census for Call<'_> {
    fn count(&mut self) -> Counts {
        self.system.count()
    }

    fn accounts(&mut self) -> Sums {
        self.system.sums()
    }

    fn lose(&mut self, kind: u32) -> Result<(), LoseError> {
        self.system.lose(kind)
    }

    fn refuse(&mut self, number: u32) -> Result<u32, LoseError> {
        self.system.refuse(self.holder, number)
    }
}
