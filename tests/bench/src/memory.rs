//! Dataspaces: allocated, attached, detached, freed.
//!
//! First with memory that nobody has used yet: everything is kept until all kinds are measured. Then over and over with
//! what was given back.

use alloc::{format, vec::Vec};

use base::{
    env::slots,
    memory::{Dataspace, Region},
    session::{
        pd::{FrameSize, Memory},
        rm::Placement,
    },
};

use crate::meter::Meter;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What is measured together.
struct Shape {
    size: usize,
    largest: FrameSize,
    name: &'static str,
    /// How many at once. A chunk of core's frames at most, so that its making is in the figures of fresh memory as often
    /// as each chunk is made.
    count: usize,
    /// How often memory that was used before is taken and given back.
    rounds: u32,
}

const fn shape(size: usize, largest: FrameSize, name: &'static str, count: usize, rounds: u32) -> Shape {
    Shape { size, largest, name, count, rounds }
}

const SHAPES: [Shape; 7] = [
    shape(4 * KIB, FrameSize::Small, "4 KiB in frames of 4 KiB", 32, 8),
    shape(64 * KIB, FrameSize::Small, "64 KiB in frames of 4 KiB", 16, 8),
    shape(64 * KIB, FrameSize::Large, "64 KiB in frames of 64 KiB", 16, 8),
    shape(MIB, FrameSize::Small, "1 MiB in frames of 4 KiB", 4, 4),
    shape(MIB, FrameSize::Section, "1 MiB in frames of 1 MiB", 4, 4),
    shape(16 * MIB, FrameSize::Small, "16 MiB in frames of 4 KiB", 1, 1),
    shape(16 * MIB, FrameSize::SuperSection, "16 MiB in frames of 16 MiB", 1, 1),
];

/// Dataspaces, and where they are attached.
struct Held {
    dataspaces: Vec<Dataspace>,
    regions: Vec<Region>,
}

/// Nanoseconds of the steps with all of a shape's dataspaces.
#[derive(Default)]
struct Steps {
    allocate: u64,
    attach: u64,
    detach: u64,
    free: u64,
}

impl Shape {
    /// Takes the memory. The vectors have their room before anything is measured.
    fn take(&self, meter: &Meter<'_>, steps: &mut Steps) -> Held {
        let env = meter.env;
        let mut held = Held { dataspaces: Vec::with_capacity(self.count), regions: Vec::with_capacity(self.count) };
        let memory = Memory { largest: self.largest, ..Memory::default() };
        steps.allocate += meter.time(|| {
            for _ in 0..self.count {
                held.dataspaces.push(env.allocate_as(self.size, memory).expect("the scenario gives enough memory"));
            }
        });
        steps.attach += meter.time(|| {
            for dataspace in &held.dataspaces {
                let region = env.attach_in(slots::ADDRESS_SPACE, dataspace, Placement::ANYWHERE);
                held.regions.push(region.expect("there is room"));
            }
        });
        held
    }

    /// Gives it back.
    fn give(&self, meter: &Meter<'_>, held: Held, steps: &mut Steps) {
        let Held { mut dataspaces, mut regions } = held;
        steps.detach += meter.time(|| regions.clear());
        steps.free += meter.time(|| dataspaces.clear());
    }

    fn report(&self, meter: &Meter<'_>, memory: &str, steps: &[(&str, u64)], rounds: u32) {
        for (step, nanoseconds) in steps {
            let count = rounds * self.count as u32;
            meter.report(&format!("{}, {memory}/{step}", self.name), *nanoseconds, count);
        }
    }
}

/// All of them.
pub fn measure(meter: &Meter<'_>) {
    let fresh = SHAPES.each_ref().map(|shape| {
        let mut steps = Steps::default();
        let held = shape.take(meter, &mut steps);
        shape.report(meter, "fresh", &[("allocate", steps.allocate), ("attach", steps.attach)], 1);
        held
    });
    for (shape, held) in SHAPES.iter().zip(fresh) {
        shape.give(meter, held, &mut Steps::default());
    }
    for shape in &SHAPES {
        let mut steps = Steps::default();
        for _ in 0..shape.rounds {
            let held = shape.take(meter, &mut steps);
            shape.give(meter, held, &mut steps);
        }
        let Steps { allocate, attach, detach, free } = steps;
        let all = [("allocate", allocate), ("attach", attach), ("detach", detach), ("free", free)];
        shape.report(meter, "used before", &all, shape.rounds);
    }
}
