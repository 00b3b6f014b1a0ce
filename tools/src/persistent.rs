//! Persistent memory from the host's side: the board's RAM as a file, the store of images in it, and what a scenario needs so
//! that a run leaves an image there, or starts from one.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use base::scenario::{Bytes, INIT, Scenario, Value};
use rtcr::{
    image::{Fault, Image, ReadError, Reader, Sink, Source},
    store::{Announced, Kept, Medium, OpenError, PutError, Store},
};
use tempfile::TempPath;

use crate::{inspect, interrupt, machine::qemu::RAM};

/// Where persistent memory begins in the RAM: at 0x30000000, and the RAM at 0x10000000.
const OFFSET: u64 = 0x2000_0000;
/// How much of it a scenario gets that says nothing of it.
const SIZE: u32 = 64 << 20;
/// The parent that keeps images.
const KEEPER: &str = "rtcr_monitor";

/// What can be wrong with memory, images, and scenarios for them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of the RAM.
    #[error("cannot use {path} as the board's memory: {source}", path = path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file of the RAM has another size than RAM has.
    #[error("{path} is not the board's memory: it has {size} bytes, and should have {RAM}", path = path.display())]
    Size {
        /// Which.
        path: PathBuf,
        /// Its size.
        size: u64,
    },
    /// No store can be used.
    #[error("{0}")]
    Store(String),
    /// There is no image to be taken out.
    #[error("the run has left no image{of}", of = of(.0))]
    None(Option<String>),
    /// An image that is wrong.
    #[error("checkpoint {number} of {name} is no image: {fault}")]
    Image {
        /// Whose.
        name: String,
        /// Number of the checkpoint.
        number: u32,
        /// What is wrong.
        fault: Fault,
    },
    /// An image that comes out of its decoding as other bytes.
    #[error("checkpoint {number} of {name} is decoded and encoded as another image; this is a mistake in rtcr")]
    Again {
        /// Whose.
        name: String,
        /// Number of the checkpoint.
        number: u32,
    },
    /// A scenario in which nobody keeps images.
    #[error("{0}")]
    Scenario(String),
}

fn of(name: &Option<String>) -> String {
    name.as_ref().map_or_else(String::new, |name| format!(" of {name}"))
}

/// The board's RAM as a file. One without a name of its own vanishes with this, also on Ctrl-C.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    _temporary: Option<(TempPath, interrupt::Registration)>,
}

impl Memory {
    /// The one in a file, which is made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, or is something else.
    pub fn in_file(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: path.into(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.metadata().map_err(failed)?.len() {
            // It takes no room before something is written to it.
            0 => file.set_len(RAM).map_err(failed)?,
            RAM => {}
            size => return Err(Error::Size { path: path.into(), size }),
        }
        // QEMU has another working folder, perhaps.
        Ok(Self { path: path.canonicalize().map_err(failed)?, _temporary: None })
    }

    /// One for a run.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn temporary() -> Result<Self, Error> {
        let made = tempfile::Builder::new().prefix("rtcr-").suffix(".memory").tempfile();
        let path = made.map_err(|source| Error::File { path: std::env::temp_dir(), source })?.into_temp_path();
        let (own, name) = (path.to_path_buf(), path.to_path_buf());
        let cleanup = interrupt::on_interrupt(move || drop(fs::remove_file(&name)));
        Ok(Self { _temporary: Some((path, cleanup)), ..Self::in_file(&own)? })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store in it, for a scenario's persistent memory of that size; made if there is none.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn store(&self, size: Bytes) -> Result<Store<FileMedium>, Error> {
        let file = OpenOptions::new().read(true).write(true).open(&self.path);
        let file = file.map_err(|source| Error::File { path: self.path.clone(), source })?;
        let medium = FileMedium { file, size: size.0.into() };
        Store::open_or_format(medium).map_err(|error: OpenError<io::Error>| Error::Store(error.to_string()))
    }
}

/// Persistent memory in the file of the RAM.
#[derive(Debug)]
pub struct FileMedium {
    file: File,
    size: u64,
}

impl Medium for FileMedium {
    type Error = io::Error;

    fn size(&self) -> u64 {
        self.size
    }

    fn read(&mut self, at: u64, to: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(to, OFFSET + at)
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, OFFSET + at)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Puts any bytes into a store as a component's newest image.
///
/// # Errors
/// They do not fit.
pub fn put(store: &mut Store<FileMedium>, name: &str, number: u32, bytes: &[u8]) -> Result<(), Error> {
    let announced = Announced { name, number, length: bytes.len() as u64, keep: usize::MAX };
    let put = store.put(announced, |sink| sink.write(bytes));
    put.map(|_| ()).map_err(|error: PutError<io::Error>| Error::Store(error.to_string()))
}

/// The bytes of an image in a store, which are decoded, encoded again, and the same.
///
/// # Errors
/// They are not.
pub fn get(store: &mut Store<FileMedium>, kept: &Kept) -> Result<Vec<u8>, Error> {
    let (name, number) = (kept.name.to_string(), kept.number);
    let mut bytes = vec![0; usize::try_from(kept.length).unwrap_or(usize::MAX)];
    store.read(kept).read(&mut bytes).map_err(|error| Error::Store(error.to_string()))?;
    let again = Image::decode(&bytes, &inspect::MOST).and_then(|image| image.encode());
    match again {
        Ok(again) if again == bytes => Ok(bytes),
        Ok(_) => Err(Error::Again { name, number }),
        Err(fault) => Err(Error::Image { name, number, fault }),
    }
}

/// The newest image, of a component or of all.
///
/// # Errors
/// There is none, or it is wrong.
pub fn newest(store: &mut Store<FileMedium>, component: Option<&str>) -> Result<(Kept, Vec<u8>), Error> {
    let of = |kept: &Kept| component.is_none_or(|name| kept.name == name);
    let found = store.images().into_iter().find(of);
    let kept = found.ok_or_else(|| Error::None(component.map(str::to_owned)))?;
    let bytes = get(store, &kept)?;
    Ok((kept, bytes))
}

/// Whose image it is, and what there is to be told of that without decoding the rest.
///
/// # Errors
/// It is none.
pub fn whose(bytes: &[u8]) -> Result<String, Fault> {
    match Reader::open(bytes) {
        Ok(reader) => Ok(reader.identity().name.to_string()),
        Err(ReadError::Fault(fault)) => Err(fault),
        Err(ReadError::Source(never) | ReadError::Pages(never)) => match never {},
    }
}

/// The component of a scenario that has persistent memory: whose name, and how much.
pub fn owner(scenario: &Scenario) -> Option<(&str, Bytes)> {
    scenario.components.iter().find_map(|(name, it)| Some((name.as_str(), it.devices.persistent?)))
}

/// What a run is to do with images.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// The newest image is wanted, of this component or whichever.
    pub save: Option<Option<&'a str>>,
    /// This component starts from one.
    pub load: Option<&'a str>,
    /// There is to be persistent memory.
    pub memory: bool,
}

/// Sees to it that a scenario does what is wanted: there is persistent memory, of 64 MiB if it says nothing of that, and the parent of
/// the component has the values. What it says itself stays as it is. Tells how much memory that is.
///
/// # Errors
/// Nobody in it keeps images, or several do and it does not say which.
pub fn prepare(scenario: &mut Scenario, wanted: Wanted<'_>) -> Result<Bytes, Error> {
    let parent = |name: &str| -> Result<String, Error> {
        let component = scenario.components.get(name);
        let component = component.ok_or_else(|| Error::Scenario(format!("there is no component `{name}`")))?;
        Ok(component.parent().to_owned())
    };
    let named = wanted.load.or(wanted.save.flatten()).map(parent).transpose()?;
    let keeper = match named.or_else(|| owner(scenario).map(|(name, _)| name.to_owned())) {
        Some(keeper) => keeper,
        None => {
            let keepers = scenario.components.iter();
            let mut keepers = keepers.filter(|(name, it)| it.binary(name) == KEEPER && it.parent() == INIT);
            match (keepers.next(), keepers.next()) {
                (Some((name, _)), None) => name.clone(),
                (None, _) => {
                    return Err(Error::Scenario(format!(
                        "no component keeps images: it would be one that runs {KEEPER} and has no other parent"
                    )));
                }
                (Some((one, _)), Some((other, _))) => {
                    return Err(Error::Scenario(format!(
                        "`{one}` and `{other}` both could keep images; give one of them `devices = {{ persistent = ... }}`"
                    )));
                }
            }
        }
    };
    let keeps = scenario.components.get(&keeper).is_some_and(|it| it.binary(&keeper) == KEEPER && it.parent() == INIT);
    if !keeps {
        return Err(Error::Scenario(format!(
            "`{keeper}` keeps no images: it would have to run {KEEPER} and have no other parent"
        )));
    }
    if let Some((owner, _)) = owner(scenario)
        && owner != keeper
    {
        return Err(Error::Scenario(format!("`{owner}` has the persistent memory, and `{keeper}` would need it")));
    }
    let newest = || Value::from("newest");
    if wanted.save.is_some()
        && let Some(keeper) = scenario.components.get_mut(&keeper)
    {
        keeper.values.entry("save".into()).or_insert_with(newest);
    }
    if let Some(loaded) = wanted.load {
        if let Some(component) = scenario.components.get_mut(loaded) {
            component.values.entry("load".into()).or_insert_with(newest);
        }
        // It begins in the middle, so of what it is to say only the end is certain.
        let prefix = format!("[{loaded}] ");
        let last = scenario.success.output.iter().rposition(|line| line.starts_with(&prefix));
        let mut place = 0;
        scenario.success.output.retain(|line| {
            place += 1;
            !line.starts_with(&prefix) || Some(place - 1) == last
        });
    }
    let Some(keeper) = scenario.components.get_mut(&keeper) else { return Ok(Bytes(0)) };
    Ok(*keeper.devices.persistent.get_or_insert(Bytes(SIZE)))
}
