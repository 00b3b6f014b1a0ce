//! Stands in for QEMU in tests: takes its options, and does what the "image" says, line by line.
//!
//! ```text
//! console TEXT        print a line on the console
//! chatter N           print N lines, one each 100 ms
//! control HEX         send bytes over the control line
//! registers PC CPSR   what the monitor tells from now on, in hexadecimal
//! instructions N      likewise
//! stack HEX ...       words of memory that the monitor shows from now on, wherever it is asked
//! complain TEXT       say something on standard error
//! refuse              as a QEMU that does not even connect: exit with 1 (first line only)
//! exit N
//! wait                for ever, as does the end of the image
//! step PC [HEX]       in a replay: an instruction that runs, and the word that memory holds wherever it is read then
//! ```

use std::{
    env, fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

#[derive(Default)]
struct State {
    registers: (String, String),
    instructions: String,
    stack: String,
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
    if arguments.iter().any(|argument| argument.contains("rr=replay")) {
        debugged(socket("gdb"), &script);
        return;
    }
    let state = Arc::new(Mutex::new(State::default()));
    let (monitor, shared) = (socket("monitor"), state.clone());
    thread::spawn(move || serve(monitor, &shared));

    let mut stdout = io::stdout();
    for line in script.lines() {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "console" => stdout.write_all(format!("{rest}\r\n").as_bytes()).and_then(|()| stdout.flush()).unwrap(),
            "chatter" => {
                for _ in 0..rest.parse().expect("a number") {
                    stdout.write_all(b"and so on\r\n").and_then(|()| stdout.flush()).unwrap();
                    thread::sleep(Duration::from_millis(100));
                }
            }
            "control" => control.write_all(&bytes(rest)).unwrap(),
            "registers" => {
                let (pc, cpsr) = rest.split_once(' ').expect("PC CPSR");
                state.lock().unwrap().registers = (pc.into(), cpsr.into());
            }
            "stack" => state.lock().unwrap().stack = rest.into(),
            "instructions" => state.lock().unwrap().instructions = rest.into(),
            "step" => {}
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
            line if line.contains("x /") && !state.stack.is_empty() => {
                let words: String = state.stack.split(' ').map(|word| format!(" 0x{word:0>8}")).collect();
                say(&format!(r#"{{"return": "e0002000:{words}\r\n"}}"#));
            }
            line if line.contains("query-replay") && !state.instructions.is_empty() => {
                say(&format!(r#"{{"return": {{"icount": {}, "mode": "none"}}}}"#, state.instructions));
            }
            line if line.contains(r#""quit""#) => std::process::exit(0),
            _ => say(r#"{"return": {}}"#),
        }
    }
}

/// Serves a debugger: the instructions of the script, one after the other, and a breakpoint among them.
fn debugged(mut stream: UnixStream, script: &str) {
    let steps = script.lines().filter_map(|line| line.strip_prefix("step "));
    let steps = steps.map(|step| step.split_once(' ').unwrap_or((step, "")));
    let steps: Vec<_> = steps.map(|(pc, word)| (u32::from_str_radix(pc, 16).expect("an address"), word)).collect();
    let (mut at, mut breakpoint) = (None, None);
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut request = Vec::new();
        if reader.read_until(b'#', &mut request).unwrap() == 0 {
            return;
        }
        reader.read_exact(&mut [0; 2]).unwrap();
        let request = String::from_utf8(request).unwrap();
        let request = request.trim_start_matches('+').trim_start_matches('$').trim_end_matches('#');
        let next = |from: Option<usize>| from.map_or(0, |at| at + 1);
        let answer = match request.split_at(1) {
            ("Z", rest) => {
                breakpoint = u32::from_str_radix(rest.split(',').nth(1).unwrap(), 16).ok();
                "OK".into()
            }
            ("z", _) => {
                breakpoint = None;
                "OK".into()
            }
            ("c", _) => {
                at = (next(at)..steps.len()).find(|index| Some(steps[*index].0) == breakpoint).or(Some(steps.len()));
                "T05thread:01;".into()
            }
            ("s", _) => {
                at = Some(next(at));
                "T05thread:01;".into()
            }
            ("g", _) => format!("{}{:08x}10000000", "0".repeat(120), steps[at.unwrap()].0.swap_bytes()),
            ("m", _) => steps[at.unwrap()].1.to_owned(),
            other => panic!("unknown request {other:?}"),
        };
        // The machine ends behind its last instruction.
        let answer: String = if at == Some(steps.len()) { "W00".into() } else { answer };
        let sum = answer.bytes().fold(0, |sum: u8, byte| sum.wrapping_add(byte));
        let _ = stream.write_all(format!("+${answer}#{sum:02x}").as_bytes());
    }
}
