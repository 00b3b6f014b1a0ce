//! The component `stack_counter` as a program for this platform.
#![no_std]
#![no_main]
start::component!(stack_counter::construct);
