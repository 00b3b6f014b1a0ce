//! The component, over a session of CUSTODY.

use alloc::{format, string::String, vec::Vec};
use core::{sync::atomic::Ordering::Relaxed, time::Duration};

use base::{
    Env,
    client::Session,
    memory::{Attachment, Shared},
    rpc::CallError,
    session::{
        custody::{Client, CustodyError, Description, SERVICE, WINDOW},
        rm::Placement,
    },
};

/// How often a component is asked again that is busy.
const TRIES: u32 = 50;

/// The component.
pub struct Ward {
    env: Env,
    // Detached before it is given back.
    window: Attachment,
    _memory: Shared,
    custody: Session<Client>,
}

type Done = Result<(), CallError<CustodyError>>;

impl Ward {
    /// # Errors
    /// Why it cannot be reached, for people.
    pub fn open(env: Env, name: &str) -> Result<Self, String> {
        let no = |what: &dyn core::fmt::Debug| format!("{name} cannot be reached: {what:?}");
        let custody = env.open::<Client>(SERVICE, name.as_bytes()).map_err(|error| no(&error))?;
        let handle = custody.memory().map_err(|error| no(&error))?;
        let memory = custody.redeem(handle).map_err(|error| no(&error))?;
        let window = env.attach(&memory, Placement::ANYWHERE).map_err(|error| no(&error))?;
        Ok(Self { env, window, _memory: memory, custody })
    }

    /// Tries again while it is busy.
    fn patiently(&self, mut ask: impl FnMut() -> Done) -> bool {
        for _ in 0..TRIES {
            match ask() {
                Ok(()) => return true,
                Err(CallError::Error(CustodyError::Busy)) => _ = self.env.sleep(Duration::from_micros(200)),
                Err(error) => {
                    log::warn!("Not done: {error:?}");
                    return false;
                }
            }
        }
        log::warn!("Not done: it is busy all the time.");
        false
    }

    pub fn describe(&self) -> Option<Description> {
        self.custody.describe().ok()
    }

    pub fn begin(&self) -> bool {
        self.patiently(|| self.custody.begin())
    }

    pub fn stop(&self) -> bool {
        self.patiently(|| self.custody.stop())
    }

    pub fn hold(&self) -> bool {
        self.patiently(|| self.custody.hold())
    }

    pub fn resume(&self) -> bool {
        self.patiently(|| self.custody.resume())
    }

    pub fn end(&self) -> bool {
        self.patiently(|| self.custody.end())
    }

    pub fn accept(&self, other: &Description) -> bool {
        self.patiently(|| self.custody.accept(other.clone()))
    }

    pub fn cancel(&self) -> bool {
        self.patiently(|| self.custody.cancel())
    }

    pub fn restore(&self) -> bool {
        self.patiently(|| self.custody.restore())
    }

    /// The next piece of the image, put behind what is there; how long it is, 0 at the end.
    pub fn read(&self, to: &mut Vec<u8>) -> Result<usize, CallError<CustodyError>> {
        let count = (self.custody.read()? as usize).min(WINDOW);
        let bytes = self.window.words().iter().flat_map(|word| word.load(Relaxed).to_le_bytes());
        to.extend(bytes.take(count));
        Ok(count)
    }

    /// The next piece of an image.
    pub fn write(&self, bytes: &[u8]) -> Done {
        for (word, bytes) in self.window.words().iter().zip(bytes.chunks(4)) {
            let mut whole = [0; 4];
            whole[..bytes.len()].copy_from_slice(bytes);
            word.store(u32::from_le_bytes(whole), Relaxed);
        }
        self.custody.write(bytes.len() as u32)
    }
}
