//! The component `enet` as a program for this platform.
#![no_std]
#![no_main]
start::component!(enet::construct);
