//! An interpreter of a small machine with a stack, in which a program looks for prime numbers.
#![no_std]
#![no_main]
start::component!(construct);

extern crate alloc;

use alloc::vec::Vec;

use base::Env;
use checkpoint_programs::steps;

/// What the machine can do. Jumps lead to the instruction of that number.
#[derive(Clone, Copy)]
enum Instruction {
    Push(u32),
    Load(usize),
    Store(usize),
    Add,
    Remainder,
    Multiply,
    Less,
    JumpIfZero(usize),
    Jump(usize),
    Emit,
    Halt,
}

/// Emits the primes up to what lies in register 0, by trial division.
fn primes() -> Vec<Instruction> {
    use Instruction::*;
    Vec::from([
        Push(2),
        Store(1),
        // 2: while candidate < limit
        Load(1),
        Load(0),
        Less,
        JumpIfZero(31),
        Push(2),
        Store(2),
        // 8: while divisor * divisor < candidate + 1
        Load(2),
        Load(2),
        Multiply,
        Load(1),
        Push(1),
        Add,
        Less,
        JumpIfZero(26),
        Load(1),
        Load(2),
        Remainder,
        JumpIfZero(28),
        Load(2),
        Push(1),
        Add,
        Store(2),
        Jump(8),
        Halt,
        // 26: it is prime
        Load(1),
        Emit,
        // 28: the next candidate; 27 falls through
        Load(1),
        Jump(32),
        Halt,
        // 31: done
        Halt,
        // 32
        Push(1),
        Add,
        Store(1),
        Jump(2),
    ])
}

struct Machine {
    stack: Vec<u32>,
    registers: [u32; 4],
    at: usize,
    emitted: Vec<u32>,
}

impl Machine {
    fn pop(&mut self) -> u32 {
        self.stack.pop().expect("the program pushes before it pops")
    }

    fn binary(&mut self, operation: impl Fn(u32, u32) -> u32) {
        let (right, left) = (self.pop(), self.pop());
        self.stack.push(operation(left, right));
    }

    /// Runs until the program halts.
    fn run(&mut self, program: &[Instruction]) {
        loop {
            let instruction = program[self.at];
            self.at += 1;
            match instruction {
                Instruction::Push(word) => self.stack.push(word),
                Instruction::Load(register) => self.stack.push(self.registers[register]),
                Instruction::Store(register) => self.registers[register] = self.pop(),
                Instruction::Add => self.binary(u32::wrapping_add),
                Instruction::Remainder => self.binary(|left, right| left % right),
                Instruction::Multiply => self.binary(u32::wrapping_mul),
                Instruction::Less => self.binary(|left, right| u32::from(left < right)),
                Instruction::JumpIfZero(to) if self.pop() == 0 => self.at = to,
                Instruction::JumpIfZero(_) => {}
                Instruction::Jump(to) => self.at = to,
                Instruction::Emit => {
                    let word = self.pop();
                    self.emitted.push(word);
                }
                Instruction::Halt => return,
            }
        }
    }
}

fn construct(env: &mut Env) {
    let program = primes();
    for step in steps(env) {
        let limit = 100 + step * 10;
        let mut machine = Machine { stack: Vec::new(), registers: [limit, 0, 0, 0], at: 0, emitted: Vec::new() };
        machine.run(&program);
        let last = machine.emitted.last().copied().unwrap_or(0);
        log::info!("step {step}: {} primes below {limit}, the largest is {last}", machine.emitted.len());
        let is_prime = |candidate: u32| !(2..candidate).any(|divisor| candidate.is_multiple_of(divisor));
        assert!(machine.emitted.iter().all(|&prime| is_prime(prime)), "something else was emitted");
    }
    env.exit(0)
}
