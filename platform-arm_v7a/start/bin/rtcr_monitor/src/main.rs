//! The component `rtcr_monitor` as a program for this platform.
#![no_std]
#![no_main]
start::component!(rtcr_monitor::construct);
