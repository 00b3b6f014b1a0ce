//! The component `large_stack_counter` as a program for this platform.
#![no_std]
#![no_main]
start::component!(large_stack_counter::construct);
