//! The component `pong` as a program for this platform.
#![no_std]
#![no_main]
start::component!(pong::construct);
