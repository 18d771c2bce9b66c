//! How long vm-memory takes to find the region of an address, and the host's
//! address of it: a line in, `find_region 64` or `get_host_address 64`, the
//! nanoseconds of one lookup in so many regions out.
//!
//! Regions and addresses are those of native/bench/slot_lookup.cpp.
use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::ptr;

use vm_memory::{Address, GuestAddress, GuestMemory, GuestMemoryMmap, GuestMemoryRegion};

/// Each region, and the hole behind it.
const REGION_BYTES: u64 = 16 << 20;
const STRIDE: u64 = 2 * REGION_BYTES;
const LOOKUPS: u64 = 1 << 16;
const ROUNDS: u64 = 64;

struct World {
    memory: GuestMemoryMmap<()>,
    addresses: Vec<GuestAddress>,
}

impl World {
    fn new(regions: u64) -> World {
        let ranges: Vec<_> = (0..regions)
            .map(|i| (GuestAddress(i * STRIDE), REGION_BYTES as usize))
            .collect();
        let mut state = 42;
        let addresses = (0..LOOKUPS)
            .map(|_| {
                let random = splitmix64(&mut state);
                let region = (random >> 32) % regions;
                GuestAddress(region * STRIDE + random % REGION_BYTES)
            })
            .collect();
        let memory = GuestMemoryMmap::from_ranges(&ranges).expect("regions");
        World { memory, addresses }
    }

    fn find_region(&self) -> u64 {
        let find = |at: &GuestAddress| self.memory.find_region(*at).expect("a region");
        self.addresses
            .iter()
            .fold(0, |sum, at| sum ^ find(at).start_addr().raw_value())
    }

    fn get_host_address(&self) -> u64 {
        let host = |at: &GuestAddress| self.memory.get_host_address(*at).expect("an address");
        self.addresses.iter().fold(0, |sum, at| sum ^ host(at) as u64)
    }

    fn nanoseconds(&self, lookup: impl Fn(&World) -> u64) -> f64 {
        keep(&lookup(self));
        let start = thread_nanoseconds();
        for _ in 0..ROUNDS {
            keep(&lookup(self));
        }
        (thread_nanoseconds() - start) / (ROUNDS * LOOKUPS) as f64
    }
}

/// Keeps a result from being left out because nobody reads it.
fn keep(result: &u64) {
    // SAFETY: a reference is valid to read.
    unsafe { ptr::read_volatile(result) };
}

fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Processor time of this thread, as native/bench/thread_clock.hpp has it.
fn thread_nanoseconds() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` lives as long as the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

fn main() {
    let mut worlds = HashMap::new();
    for line in io::stdin().lock().lines() {
        let line = line.expect("a line");
        let mut words = line.split(' ');
        let what = words.next().unwrap_or("");
        let regions: u64 = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        if regions == 0 {
            eprintln!("expected find_region or get_host_address, and a number of regions");
            std::process::exit(2);
        }
        let world = worlds.entry(regions).or_insert_with(|| World::new(regions));
        let taken = match what {
            "find_region" => world.nanoseconds(World::find_region),
            _ => world.nanoseconds(World::get_host_address),
        };
        println!("{}", taken);
        io::stdout().flush().expect("a reader");
    }
}
