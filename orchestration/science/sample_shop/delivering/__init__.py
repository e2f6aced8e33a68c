"""How the shop reaches the inbox: split into deliveries, spoilt by planted defects, written as files."""
