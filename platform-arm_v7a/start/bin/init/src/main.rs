//! The component `init` as a program for this platform.
#![no_std]
#![no_main]
start::component!(init::construct);
