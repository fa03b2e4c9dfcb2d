"""From the use of applications, or vital signs, to a mood; and several estimates to one."""
