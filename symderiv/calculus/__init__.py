"""What is known about derivatives: functions, losses, layers, rules, and backpropagation."""
