//! The component `hello` as a program for this platform.
#![no_std]
#![no_main]
start::component!(hello::construct);
