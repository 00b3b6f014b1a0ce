//! Stands in for QEMU in tests: takes its options, and does what the "image" says, line by line.
//!
//! ```text
//! console TEXT        print a line on the console
//! control HEX         send bytes over the control line
//! registers PC CPSR   what the monitor tells from now on, in hexadecimal
//! instructions N      likewise
//! complain TEXT       say something on standard error
//! refuse              as a QEMU that does not even connect: exit with 1 (first line only)
//! exit N
//! wait                for ever, as does the end of the image
//! ```

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

#[derive(Default)]
struct State {
    registers: (String, String),
    instructions: String,
}

fn main() {
    let arguments: Vec<_> = env::args().collect();
    let after = |option: &str| arguments.iter().position(|a| a == option).map(|at| arguments[at + 1].clone());
    let socket = |id: &str| {
        let start = format!("socket,id={id},path=");
        let option = arguments.iter().find_map(|argument| argument.strip_prefix(&start)).expect("a chardev");
        UnixStream::connect(option.split(',').next().unwrap_or_default()).expect("somebody listens")
    };
    let script = fs::read_to_string(after("-kernel").expect("-kernel")).expect("an image");
    if script.starts_with("refuse") {
        eprintln!("no such machine");
        std::process::exit(1);
    }
    let mut control = socket("control");
    let state = Arc::new(Mutex::new(State::default()));
    let (monitor, shared) = (socket("monitor"), state.clone());
    thread::spawn(move || serve(monitor, &shared));

    let mut stdout = io::stdout();
    for line in script.lines() {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "console" => stdout.write_all(format!("{rest}\r\n").as_bytes()).and_then(|()| stdout.flush()).unwrap(),
            "control" => control.write_all(&bytes(rest)).unwrap(),
            "registers" => {
                let (pc, cpsr) = rest.split_once(' ').expect("PC CPSR");
                state.lock().unwrap().registers = (pc.into(), cpsr.into());
            }
            "instructions" => state.lock().unwrap().instructions = rest.into(),
            "complain" => eprintln!("{rest}"),
            "exit" => std::process::exit(rest.parse().expect("a status")),
            "wait" => break,
            other => panic!("unknown verb {other}"),
        }
    }
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The monitor: a greeting, an event before each answer, and what the state says.
fn serve(stream: UnixStream, state: &Mutex<State>) {
    let mut out = stream.try_clone().unwrap();
    let mut say = move |text: &str| _ = out.write_all(format!("{text}\r\n").as_bytes());
    say(r#"{"QMP": {"version": {}, "capabilities": []}}"#);
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        say(r#"{"event": "SOMETHING"}"#);
        let state = state.lock().unwrap();
        match &line {
            line if line.contains("info registers") => {
                let (pc, cpsr) = &state.registers;
                let general: String = (0..15).map(|number| format!("R{number:02}=00000000 ")).collect();
                match pc.is_empty() {
                    true => say(r#"{"error": {"class": "GenericError", "desc": "no"}}"#),
                    false => {
                        say(&format!(r#"{{"return": "CPU#0\r\n{general}R15={pc}\r\nPSR={cpsr} ---- A S svc32\r\n"}}"#))
                    }
                }
            }
            line if line.contains("query-replay") && !state.instructions.is_empty() => {
                say(&format!(r#"{{"return": {{"icount": {}, "mode": "none"}}}}"#, state.instructions));
            }
            _ => say(r#"{"return": {}}"#),
        }
    }
}
