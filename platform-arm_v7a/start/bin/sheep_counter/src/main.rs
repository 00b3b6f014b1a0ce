//! The component `sheep_counter` as a program for this platform.
#![no_std]
#![no_main]
start::component!(sheep_counter::construct);
