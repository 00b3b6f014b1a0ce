//! The component `small_dataspaces` as a program for this platform.
#![no_std]
#![no_main]
start::component!(small_dataspaces::construct);
