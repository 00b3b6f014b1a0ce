//! The component `link` as a program for this platform.
#![no_std]
#![no_main]
start::component!(link::construct);
