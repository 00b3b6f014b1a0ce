//! The component `monitor` as a program for this platform.
#![no_std]
#![no_main]
start::component!(monitor::construct);
