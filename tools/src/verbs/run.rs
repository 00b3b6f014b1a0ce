//! `cargo rtcr run`: build, boot, watch, judge.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use base::scenario::{Bytes, Scenario};
use clap::Args;

use super::{
    Ending, Result,
    arguments::{KernelChoice, ScenarioArgs},
    run_nodes,
};
use crate::{
    explain::Kind,
    file,
    machine::{Clock, Heard},
    persistent::{self, Memory, Wanted},
    run::{self, Request},
    scenario::Setting,
    terminal::{self, Harmless, RawInput, Tone},
    timeline::{Timeline, Window, picture},
    trace,
    workspace::Workspace,
};

/// Build a scenario, boot it in QEMU, show its console, and judge it by its oracle.
///
/// Time in the machine is virtual (a nanosecond per instruction, idle time skipped), so that equal runs print equal
/// bytes. The run ends by the scenario's oracle, by its limit, or by a crash, which is explained with component,
/// address and source line. RTCR_QEMU names another QEMU than qemu-system-arm on the path.
#[derive(Debug, Args)]
pub struct Run {
    #[command(flatten)]
    scenario: ScenarioArgs,
    /// End the run after so many seconds of virtual time, whatever the scenario says.
    #[arg(long, value_name = "SECONDS", value_parser = Setting::limit, allow_negative_numbers = true)]
    limit: Option<Setting>,
    /// Keep the console's bytes as they came, also of a run that fails.
    #[arg(long, value_name = "FILE")]
    console: Option<PathBuf>,
    /// Write what happened as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Hand the keyboard to the console. Nothing on the board reads it yet.
    #[arg(long)]
    interactive: bool,
    /// Stop before the first instruction, wait for a debugger, and say how to attach it with symbols.
    #[arg(long)]
    gdb: bool,
    /// Have core record what it does, and write it as text, a line for each request and event. Without this, what a
    /// scenario with `trace = true` has recorded is printed.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Have core record what it does, and draw it: an SVG file.
    #[arg(long, value_name = "FILE")]
    trace_picture: Option<PathBuf>,
    /// Show only what core did from then to then, in seconds of virtual time: 0.25..0.26, 0.25.. or ..0.26.
    #[arg(long, value_name = "FROM..TO")]
    trace_window: Option<Window>,
    /// Print each instruction from the first execution of a function on: WHO is a component, core, kernel or loader, COUNT
    /// is 1000 unless given. The run is recorded and looked at in a replay, so nothing in it changes.
    #[arg(long, value_name = "WHO:FUNCTION[:COUNT]", conflicts_with_all = ["gdb", "realtime"])]
    trace_exec: Option<trace::Request>,
    /// Write those instructions there instead.
    #[arg(long, value_name = "FILE", requires = "trace_exec")]
    trace_file: Option<PathBuf>,
    /// Take the newest checkpoint out of the run, as an image: of a component, or whichever is the newest.
    #[arg(long, value_name = "[COMPONENT=]FILE", conflicts_with = "trace_exec")]
    save: Option<String>,
    /// Start the component of this image from it. Of what the scenario wants it to say, only the last line counts then.
    #[arg(long, value_name = "FILE", conflicts_with = "trace_exec")]
    load: Option<PathBuf>,
    /// Keep the board's memory in this file, so that persistent memory is there in the next run.
    #[arg(long, value_name = "FILE", conflicts_with = "trace_exec")]
    memory: Option<PathBuf>,
    /// Let time in the machine follow the host's clock.
    #[arg(long)]
    realtime: bool,
    /// Which kernel to boot.
    #[arg(long, value_enum, default_value_t)]
    kernel: KernelChoice,
    /// Boot a kernel without this patch, to see what it is good for: its number or name; may be repeated.
    #[arg(long = "without-patch", value_name = "PATCH")]
    without_patches: Vec<String>,
    /// Real seconds without output after which the run is given up; by default 20 times its limit, at least 60.
    #[arg(long, value_name = "SECONDS", hide = true)]
    watchdog: Option<u64>,
}

impl Run {
    /// Does it.
    ///
    /// # Errors
    /// Nothing ran.
    pub fn run(self) -> Result {
        let Self {
            mut scenario,
            limit,
            console,
            report,
            interactive,
            gdb,
            trace,
            trace_picture,
            trace_window,
            trace_exec,
            trace_file,
            save,
            load,
            memory,
            realtime,
            kernel,
            without_patches,
            watchdog,
        } = self;
        let workspace = Workspace::find()?;
        if let Some(limit) = limit {
            scenario.set(limit);
        }
        if trace.is_some() || trace_picture.is_some() {
            scenario.set(Setting::trace());
        }
        let mut loaded = scenario.load(&workspace)?;
        if !loaded.scenario.nodes.is_empty() {
            let one = [
                ("--interactive", interactive),
                ("--gdb", gdb),
                ("--trace-exec", trace_exec.is_some()),
                ("--report", report.is_some()),
                ("--save", save.is_some()),
                ("--load", load.is_some()),
                ("--memory", memory.is_some()),
            ];
            if let Some((option, _)) = one.iter().find(|(_, given)| *given) {
                return Err(format!("{option} is for scenarios of one machine; this one has nodes").into());
            }
            let request = Request {
                kernel: kernel.into(),
                without_patches,
                watchdog: watchdog.map(Duration::from_secs),
                ..Request::new(loaded)
            };
            return run_nodes::run(&workspace, &request, console.as_deref());
        }
        let images = Images::prepare(&mut loaded.scenario, save.as_deref(), load.as_deref(), memory.as_deref())?;
        let traced = loaded.scenario.trace;
        if trace_window.is_some() && !traced {
            return Err("--trace-window: nothing is traced; add --trace FILE or --trace-picture FILE".into());
        }
        let request = Request {
            kernel: kernel.into(),
            without_patches,
            clock: if realtime { Clock::Real } else { Clock::Instructions },
            interactive,
            gdb,
            trace: trace_exec,
            watchdog: watchdog.map(Duration::from_secs),
            memory: images.memory.as_ref().map(|memory| memory.path().to_owned()),
            ..Request::new(loaded)
        };
        // Whether they can be written is found out before anything takes time.
        let files = [
            ("--console", console.as_deref()),
            ("--report", report.as_deref()),
            ("--trace-file", trace_file.as_deref()),
            ("--trace", trace.as_deref()),
            ("--trace-picture", trace_picture.as_deref()),
            ("--save", images.save.as_ref().map(|(_, file)| file.as_path())),
        ];
        let [console, report, trace_file, text, picture, image] = file::Pending::create_each(files)?;

        let raw = interactive.then(RawInput::begin);
        let mut screen = Screen::default();
        let finished = run::run(&workspace, request, |heard| match heard {
            Heard::Console(bytes) => screen.show(bytes),
            Heard::Report(_) => {}
        })?;
        screen.finish();
        drop(raw);

        if let Some(mut console) = console {
            console.write(&finished.outcome.console)?;
            console.keep()?;
        }
        if let Some(mut report) = report {
            report.write(&file::json(&finished.report())?)?;
            report.keep()?;
        }
        if traced {
            let timeline = Timeline::new(&finished.outcome.recorded, trace_window.unwrap_or(Window::ALL));
            if let Some(mut picture) = picture {
                picture.write(picture::svg(&timeline, &finished.loaded.name).as_bytes())?;
                picture.keep()?;
            } else if text.is_none() {
                terminal::say(&timeline);
            }
            if let Some(mut text) = text {
                text.write(timeline.to_string().as_bytes())?;
                text.keep()?;
            }
        }
        match (&finished.trace, trace_file) {
            (Some(trace), Some(mut file)) => {
                file.write(format!("{trace}\n").as_bytes())?;
                file.keep()?;
            }
            (Some(trace), None) => terminal::say(trace),
            (None, _) => {}
        }
        let unsaved = image.map(|image| images.take_out(image)).transpose();
        finished.explanation.details.iter().for_each(terminal::say);
        let (tone, ending) = match finished.explanation.kind {
            Kind::Passed => (Tone::Good, Ending::Passed),
            Kind::Failed => (Tone::Bad, Ending::Failed),
            Kind::TimedOut => (Tone::Bad, Ending::TimedOut),
        };
        terminal::say_in(tone, finished.summary());
        unsaved?;
        // Whoever asked for a trace did not get one.
        match finished.trace {
            Some(trace) if trace.instructions.is_empty() => Err(format!("there is no trace: {trace}").into()),
            _ => Ok(ending),
        }
    }
}

/// What a run has to do with images.
struct Images {
    /// The board's memory, if it is a file.
    memory: Option<Memory>,
    /// How much of it is persistent.
    size: Bytes,
    /// Whose image is taken out, and where to.
    save: Option<(Option<String>, PathBuf)>,
}

impl Images {
    /// Has the scenario do what is wanted, and puts the image to start from where it is looked for.
    fn prepare(
        scenario: &mut Scenario,
        save: Option<&str>,
        load: Option<&Path>,
        memory: Option<&Path>,
    ) -> std::result::Result<Self, Box<dyn std::error::Error>> {
        // A name of the scenario's before the first `=` is a component's, and everything else a file's.
        let save = save.map(|text| match text.split_once('=') {
            Some((name, file)) if scenario.components.contains_key(name) => (Some(name.to_owned()), file.into()),
            _ => (None, text.into()),
        });
        let image = load.map(|file| -> std::result::Result<_, Box<dyn std::error::Error>> {
            let bytes = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
            let name = persistent::whose(&bytes).map_err(|fault| format!("{}: {fault}", file.display()))?;
            Ok((name, bytes))
        });
        let image = image.transpose()?;
        let wanted = Wanted {
            save: save.as_ref().map(|(name, _)| name.as_deref()),
            load: image.as_ref().map(|(name, _)| name.as_str()),
            memory: memory.is_some(),
        };
        if wanted.save.is_none() && wanted.load.is_none() && memory.is_none() {
            return Ok(Self { memory: None, size: Bytes(0), save });
        }
        let size = persistent::prepare(scenario, wanted)?;
        let memory = memory.map_or_else(Memory::temporary, Memory::in_file)?;
        if let Some((name, bytes)) = image {
            let mut store = memory.store(size)?;
            let number = store.newest(&name).map_or(0, |newest| newest.number);
            persistent::put(&mut store, &name, number, &bytes)?;
        }
        Ok(Self { memory: Some(memory), size, save })
    }

    /// Takes the newest image out.
    fn take_out(&self, mut file: file::Pending) -> std::result::Result<(), Box<dyn std::error::Error>> {
        let (Some(memory), Some((name, _))) = (&self.memory, &self.save) else { return Ok(()) };
        let (kept, bytes) = persistent::newest(&mut memory.store(self.size)?, name.as_deref())?;
        file.write(&bytes)?;
        file.keep()?;
        terminal::note(format_args!("checkpoint {} of {}: {} bytes", kept.number, kept.name, bytes.len()));
        Ok(())
    }
}

/// The console as it is shown: at once, harmless, and ended with a line end.
#[derive(Default)]
struct Screen {
    harmless: Harmless,
    in_line: bool,
}

impl Screen {
    fn show(&mut self, bytes: &[u8]) {
        let text = self.harmless.push(bytes);
        self.print(&text);
    }

    fn finish(&mut self) {
        let rest = self.harmless.finish();
        self.print(&rest);
        if self.in_line {
            self.print("\n");
        }
    }

    fn print(&mut self, text: &str) {
        if let Some(last) = text.chars().last() {
            self.in_line = last != '\n';
            let mut out = io::stdout().lock();
            let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        }
    }
}
