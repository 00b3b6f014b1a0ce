//! The component `worker` as a program for this platform.
#![no_std]
#![no_main]
start::component!(worker::construct);
