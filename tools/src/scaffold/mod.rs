//! A new component: the files that it takes, and the lines that tell the workspace of it.
//!
//! What is made lies beside this file, as templates in which `NAME` stands for the component's name. Either all of it is
//! made or nothing: every file is written under another name first, and what has been put in place is taken back when
//! something later fails.

mod edit;
mod name;
mod place;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{file::WriteError, workspace::Workspace};

pub use edit::Unexpected;
pub use name::BadName;

/// What a template says instead of the component's name.
const STANDS_FOR_THE_NAME: &str = "NAME";

/// Each template, and where its copy goes.
const FILES: [(&str, &str); 5] = [
    ("components/NAME/Cargo.toml", include_str!("component/component.toml")),
    ("components/NAME/src/lib.rs", include_str!("component/lib.rs.in")),
    ("platform-arm_v7a/start/bin/NAME/Cargo.toml", include_str!("component/program.toml")),
    ("platform-arm_v7a/start/bin/NAME/src/main.rs", include_str!("component/main.rs.in")),
    ("run/NAME_native.toml", include_str!("component/scenario.toml")),
];

/// What lists the scenarios, for people.
const LIST: &str = "run/README.md";
/// What lists the packages, for cargo.
const MANIFEST: &str = "Cargo.toml";

/// Why no component was made. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No component can be called so.
    #[error(transparent)]
    Name(#[from] BadName),
    /// A file of the workspace cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that lists what there is does not look as it should.
    #[error(transparent)]
    Unexpected(#[from] Unexpected),
    /// A folder cannot be made.
    #[error("cannot make the folder {path}: {source}", path = path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// A component that was made.
#[derive(Debug)]
pub struct Made {
    /// Its scenario's name.
    pub scenario: String,
    /// The files that are new, and those that have a new line, as paths in the workspace.
    pub files: Vec<PathBuf>,
}

/// Makes the component `name`.
///
/// # Errors
/// Nothing has changed then.
pub fn component(workspace: &Workspace, name: &str) -> Result<Made, Error> {
    let read = |path: &str| {
        let path = workspace.root().join(path);
        fs::read_to_string(&path).map_err(|source| Error::Unreadable { path, source })
    };
    name::check(workspace.root(), name, &read(MANIFEST)?, &read("Cargo.lock")?)?;
    let filled = |text: &str| text.replace(STANDS_FOR_THE_NAME, name);
    let scenario = format!("{name}_native");
    let about = filled("the component `NAME` says that it is there, and exits");
    let edited = [
        (LIST, edit::listed(LIST, &read(LIST)?, &scenario, &about)?),
        // Last: from then on cargo knows of it.
        (MANIFEST, edit::registered(MANIFEST, &read(MANIFEST)?, name)?),
    ];
    let files = FILES.map(|(path, text)| (filled(path), filled(text))).into_iter();
    let files: Vec<_> = files.chain(edited.map(|(path, text)| (path.to_owned(), text))).collect();
    place::all(workspace.root(), &files)?;
    Ok(Made { scenario, files: files.into_iter().map(|(path, _)| Path::new(&path).to_owned()).collect() })
}
