//! LOG, ROM, TIMER, SIGNAL and ECHO of a child.

use super::Ward;
use crate::{
    rpc::{Arguments, Decision, Transport},
    session::{
        echo, log, rom,
        signal::{self, CreateError, SignalError},
        timer::{self, TimeoutError},
    },
};

#[crate::interposer(forward(write))]
impl<T: Transport + Copy> log::Interposer for Ward<T> {}

#[crate::interposer(forward(nothing, words, bytes, message, figure))]
impl<T: Transport + Copy> echo::Interposer for Ward<T> {}

#[crate::interposer(forward(size))]
impl<T: Transport + Copy> rom::Interposer for Ward<T> {
    fn open(&mut self, (at, name): Arguments<'_, rom::call::Open>) -> Decision<rom::call::Open> {
        self.make(at, |ward, outside| ward.rom().open(outside, name).map(|_| ())).into()
    }
}

#[crate::interposer(forward(now), refuse(set_offset))]
impl<T: Transport + Copy> timer::Interposer for Ward<T> {
    fn once(&mut self, (context, after): Arguments<'_, timer::call::Once>) -> Decision<timer::call::Once> {
        let Some(context) = self.out(context) else { return Decision::Answer(Err(TimeoutError::Nothing.into())) };
        self.timer().once(context, after).into()
    }

    fn periodic(&mut self, (context, period): Arguments<'_, timer::call::Periodic>) -> Decision<timer::call::Periodic> {
        let Some(context) = self.out(context) else { return Decision::Answer(Err(TimeoutError::Nothing.into())) };
        self.timer().periodic(context, period).into()
    }

    fn cancel(&mut self, (context,): Arguments<'_, timer::call::Cancel>) -> Decision<timer::call::Cancel> {
        let Some(context) = self.out(context) else { return Decision::Answer(Err(TimeoutError::Nothing.into())) };
        self.timer().cancel(context).into()
    }

    fn remaining(&mut self, (context,): Arguments<'_, timer::call::Remaining>) -> Decision<timer::call::Remaining> {
        let Some(context) = self.out(context) else { return Decision::Answer(Err(TimeoutError::Nothing.into())) };
        self.timer().remaining(context).into()
    }
}

#[crate::interposer()]
impl<T: Transport + Copy> signal::Interposer for Ward<T> {
    fn create(
        &mut self,
        (at, account, doorbell, cookie): Arguments<'_, signal::call::Create>,
    ) -> Decision<signal::call::Create> {
        let (Some(account), Some(doorbell)) = (self.out(account), self.out(doorbell)) else {
            return Decision::Answer(Err(CreateError::Nothing.into()));
        };
        self.make(at, |ward, outside| ward.signal().create(outside, account, doorbell, cookie).map(|_| ())).into()
    }

    fn raise(&mut self, (context,): Arguments<'_, signal::call::Raise>) -> Decision<signal::call::Raise> {
        let Some(context) = self.out(context) else { return Decision::Answer(Err(SignalError::Nothing.into())) };
        self.signal().raise(context).into()
    }

    fn fetch(&mut self, (doorbell,): Arguments<'_, signal::call::Fetch>) -> Decision<signal::call::Fetch> {
        let Some(doorbell) = self.out(doorbell) else { return Decision::Answer(Err(SignalError::Nothing.into())) };
        self.signal().fetch(doorbell).into()
    }

    fn destroy(&mut self, (number,): Arguments<'_, signal::call::Destroy>) -> Decision<signal::call::Destroy> {
        let Some(context) = self.out(number) else { return Decision::Answer(Err(SignalError::Nothing.into())) };
        let destroyed = self.signal().destroy(context);
        if destroyed.is_ok() {
            self.forget(number);
        }
        destroyed.into()
    }
}
