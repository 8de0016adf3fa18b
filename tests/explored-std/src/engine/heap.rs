//! The heap of the program that is explored: what a schedule allocates lies where it lay when the same schedule was run before.
//!
//! Who takes two locks in the order of their addresses is right, and takes them in another order when the addresses come out
//! otherwise. So a block gets the lowest free place for its size. The places that are free when a schedule begins are the same
//! as before, as long as what was left over is the same; and where some of it stays (a list of results that grows, what threads
//! own that never end), blocks still follow each other in the same order.
//!
//! The explorer's own blocks are the system's, and so are large ones: these come and go as the search does, not as the schedule.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// Up to this size, in bytes, each multiple of [`STEP`] is a size of its own.
const SMALL: usize = 512;
/// Blocks lie at multiples of this.
const STEP: usize = 16;
/// Multiples of [`STEP`] up to [`SMALL`], then powers of two up to [`LARGEST`].
const SIZES: usize = SMALL / STEP + 3;
/// The largest blocks, in bytes.
const LARGEST: usize = SMALL << 3;
/// Bytes of address space for the blocks of one size. What is never touched costs nothing.
const AREA: usize = 4 << 20;
/// Places that one word of marks tells of.
const PER_WORD: usize = u64::BITS as usize;
/// Words of marks for the blocks of one size: enough for the smallest.
const WORDS: usize = AREA / STEP / PER_WORD;

struct Heap;

#[global_allocator]
static HEAP: Heap = Heap;

/// Where the areas begin: null until the first block is needed.
static AREAS: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
/// A bit for each place, set while it is taken. Made before the areas.
static MARKS: AtomicPtr<AtomicU64> = AtomicPtr::new(ptr::null_mut());
/// For each size, the first word of marks that may tell of a free place.
static LOWEST: [AtomicUsize; SIZES] = [const { AtomicUsize::new(0) }; SIZES];

thread_local! {
    /// Whether this OS thread is on the stack of a thread of the program.
    static IN_PROGRAM: Cell<bool> = const { Cell::new(false) };
}

/// Says whether this OS thread is on the stack of a thread of the program from now on.
#[inline]
pub(super) fn in_program(is: bool) {
    IN_PROGRAM.set(is);
}

/// The bytes of a block of this size class.
const fn bytes(class: usize) -> usize {
    if class < SMALL / STEP { (class + 1) * STEP } else { SMALL << (class - SMALL / STEP + 1) }
}

/// The class of blocks that such a value fits in.
#[inline]
fn class_of(layout: Layout) -> Option<usize> {
    let class = match layout.size() {
        0..=SMALL => layout.size().max(1).div_ceil(STEP) - 1,
        size @ ..=LARGEST => SMALL / STEP + (size.next_power_of_two() / SMALL).trailing_zeros() as usize - 1,
        _ => return None,
    };
    bytes(class).is_multiple_of(layout.align()).then_some(class)
}

/// The lowest free place of this class, or null if all are taken.
fn take(class: usize) -> *mut u8 {
    let (areas, marks) = made();
    if areas.is_null() {
        return areas;
    }
    let mut word = LOWEST[class].load(Ordering::Relaxed);
    while word < (AREA / bytes(class)).div_ceil(PER_WORD) {
        // SAFETY: there are this many words for each class.
        let mark = unsafe { &*marks.add(class * WORDS + word) };
        let taken = mark.load(Ordering::Relaxed);
        let place = word * PER_WORD + taken.trailing_ones() as usize;
        if taken != u64::MAX && (place + 1) * bytes(class) <= AREA {
            // Only who explores takes places, and explorations exclude each other; anybody may give one back.
            mark.fetch_or(1 << (place % PER_WORD), Ordering::Acquire);
            LOWEST[class].store(word, Ordering::Relaxed);
            // SAFETY: the place lies within the area of its class.
            return unsafe { areas.add(class * AREA + place * bytes(class)) };
        }
        word += 1;
    }
    LOWEST[class].store(word, Ordering::Relaxed);
    ptr::null_mut()
}

/// Frees the place of a block. Returns false if it is not one of these.
#[inline]
fn give_back(block: *mut u8) -> bool {
    let areas = AREAS.load(Ordering::Acquire);
    let offset = (block as usize).wrapping_sub(areas as usize);
    if areas.is_null() || offset >= SIZES * AREA {
        return false;
    }
    let class = offset / AREA;
    let place = offset % AREA / bytes(class);
    // SAFETY: the marks were made before the areas, and there are this many.
    let mark = unsafe { &*MARKS.load(Ordering::Relaxed).add(class * WORDS + place / PER_WORD) };
    mark.fetch_and(!(1 << (place % PER_WORD)), Ordering::Release);
    if place / PER_WORD < LOWEST[class].load(Ordering::Relaxed) {
        LOWEST[class].fetch_min(place / PER_WORD, Ordering::Relaxed);
    }
    true
}

/// The areas and their marks, made at first use; the areas are null if there is no room for them.
fn made() -> (*mut u8, *const AtomicU64) {
    let areas = AREAS.load(Ordering::Acquire);
    if !areas.is_null() {
        return (areas, MARKS.load(Ordering::Relaxed));
    }
    // The system aligns so much to 16 bytes; a value may want more, though seldom more than a page.
    const { assert!(LARGEST == 4096 && SMALL << 3 == bytes(SIZES - 1)) };
    let marks = Layout::new::<[AtomicU64; SIZES * WORDS]>();
    let places = Layout::new::<[u8; SIZES * AREA + LARGEST]>();
    // SAFETY: neither is empty, and a word of zeros is an `AtomicU64`.
    let (marks, places) = unsafe { (System.alloc_zeroed(marks), System.alloc(places)) };
    if marks.is_null() || places.is_null() {
        return (ptr::null_mut(), ptr::null());
    }
    // SAFETY: there is as much more room.
    let areas = unsafe { places.add(places.align_offset(LARGEST)) };
    MARKS.store(marks.cast(), Ordering::Relaxed);
    AREAS.store(areas, Ordering::Release);
    (areas, marks.cast())
}

/// A place for the program's value, or null: then the system has to find one.
#[inline]
fn place_for(layout: Layout) -> *mut u8 {
    if !IN_PROGRAM.get() || super::run::is_at_work() {
        return ptr::null_mut();
    }
    class_of(layout).map_or(ptr::null_mut(), take)
}

// SAFETY: a place is free when it is taken, as its mark says, and is large and aligned enough for its class; a block that is
// not from here is the system's.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let place = place_for(layout);
        // SAFETY: as the caller promises.
        if place.is_null() { unsafe { System.alloc(layout) } } else { place }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let place = place_for(layout);
        if place.is_null() {
            // SAFETY: as the caller promises.
            return unsafe { System.alloc_zeroed(layout) };
        }
        // SAFETY: the place is as large as the value at least.
        unsafe { place.write_bytes(0, layout.size()) };
        place
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !give_back(block) {
            // SAFETY: it is not from here, so it is the system's.
            unsafe { System.dealloc(block, layout) };
        }
    }
}
