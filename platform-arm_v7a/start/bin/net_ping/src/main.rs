//! The component `net_ping` as a program for this platform.
#![no_std]
#![no_main]
start::component!(net_ping::construct);
