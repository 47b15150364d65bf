"""Shipped test kit: prove that a store keeps the promises that the vault relies on."""
