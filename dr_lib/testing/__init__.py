"""Shipped test kit: prove that a store keeps the promises that the vault relies on, and see what a breach of them does.

    store_contract   the promises of a store, as tests that any store can be put through
    faulty_store     a store around another one, with `faults` that happen when `schedules` say so
    worm_store       a store whose objects are locked, and keep their older versions, as in a bucket in compliance mode
    clocks           a clock that stands until a test moves it
    strategies       small source trees and points for Hypothesis

Needs pytest and Hypothesis (`pip install dr-lib[testing]`); nothing else of this library imports it or them.
"""
