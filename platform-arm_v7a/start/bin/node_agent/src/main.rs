//! The component `node_agent` as a program for this platform.
#![no_std]
#![no_main]
start::component!(node_agent::construct);
