//! The component `large_dataspaces` as a program for this platform.
#![no_std]
#![no_main]
start::component!(large_dataspaces::construct);
