//! `cargo rtcr image`: the bootable file.

use std::path::PathBuf;

use clap::Args;
use kernel::Flavour;

use super::{
    Ending, Result,
    arguments::{KernelChoice, ScenarioArgs},
};
use crate::{
    build, file, image,
    setup::{self, Need},
    suggest, terminal,
    workspace::Workspace,
};

/// Pack a scenario into one bootable file and report what is in it.
///
/// The file is an ELF executable that `qemu-system-arm -M sabrelite -kernel FILE` and U-Boot's `bootelf` take. Equal
/// sources give equal bytes, wherever they are built.
#[derive(Debug, Args)]
pub struct Image {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// The node whose image it is, of a scenario with nodes.
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Where to put the image.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Write the report as JSON too.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Which kernel to put in.
    #[arg(long, value_enum, default_value_t)]
    kernel: KernelChoice,
}

impl Image {
    /// Does it.
    ///
    /// # Errors
    /// Nothing is written then.
    pub fn run(&self) -> Result {
        let workspace = Workspace::find()?;
        let mut loaded = self.scenario.load(&workspace)?;
        if let Some(node) = &self.node {
            let known: Vec<_> = loaded.scenario.nodes.keys().map(String::as_str).collect();
            if !known.contains(&node.as_str()) {
                return Err(format!("there is no node `{node}`; {}", suggest::hint(node, &known)).into());
            }
            loaded.scenario = loaded.scenario.of_node(node);
        }
        // Whether they can be written is found out before anything takes time.
        let files = [("--output", Some(self.output.as_path())), ("--report", self.report.as_deref())];
        let [output, report] = file::Pending::create_each(files)?;
        setup::ensure(&[Need::Kernel])?;
        let built =
            build::build(&workspace, &setup::toolchain()?, &loaded.scenario, &Flavour::from(self.kernel).into())?;
        let image = image::assemble(&loaded.name, &loaded.scenario, &built.parts)?;
        if let Some(mut report) = report {
            report.write(&file::json(&image.report)?)?;
            report.keep()?;
        }
        if let Some(mut output) = output {
            output.write(&image.bytes)?;
            output.keep()?;
        }
        terminal::say(&image.report);
        Ok(Ending::Passed)
    }
}
